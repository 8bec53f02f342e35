// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { evaluationError } from "../errors/failures.ts";
import type { Limits } from "../limits.ts";
import { treeOf } from "../syntax/tree-of.ts";
import { COMPILED_FUNCTIONS, nativeOf } from "../functions/compiled-functions.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { builtinOf, type ReferenceFunction } from "../runtime/calls/jsonata-functions.ts";
import { createRegexEngine } from "./regex-engine.ts";
import type { CompiledFunction } from "../runtime/calls/callee.ts";
import { range } from "../runtime/operators.ts";
import { Guard } from "../runtime/guard.ts";
import type { Meter } from "../runtime/reads/meter.ts";
import { Scales } from "./scales.ts";
import { ExpressionError } from "../errors/expression-error.ts";
import { faultOfSize } from "../syntax/source-limits.ts";

/** Steps for each node that the interpreter evaluates, which takes it some microseconds. */
const STEPS_PER_NODE = 30;
/** Steps for each character that $eval parses. */
const STEPS_PER_PARSED = 10;
/** Weight of a value that costs a step each time that a node gives it: whatever takes the value may go through it. */
const WEIGHT_PER_STEP = 32;
/** Tokens that `??` and `?:` may copy in a text for `$eval`. */
const COPIED_TOKENS = 2_048;

/** The name under which an evaluation's own facts are bound; no expression can name it. */
const EVALUATION = "the evaluation";

/** The name of the function that replaces the `..` operator in a syntax tree; no expression can name it. */
const RANGE_FUNCTION = "..";

/** The settings of an interpreter, the same for all its evaluations. */
export interface InterpreterSettings {
  readonly limits: Limits;
  /** Milliseconds since the epoch, for an evaluation that is not given its time. */
  readonly nowMs: () => number;
  /** Milliseconds that never go back; without them `limits.timeMs` is no limit. */
  readonly monotonicMs?: (() => number) | undefined;
  /** Functions in place of the language's own. */
  readonly functions?: ReadonlyMap<string, CompiledFunction> | undefined;
}

/** The facts of one evaluation, all of which may be absent. */
export interface Evaluation {
  /** The time that $now() and $millis() give, in milliseconds since the epoch. */
  readonly nowMs?: number;
  /** The request's meter, for an evaluation that shares one. */
  readonly meter?: Meter;
  /** Variables and functions by name, without the `$`. */
  readonly bindings?: Readonly<Record<string, unknown>>;
}

/** Told of each node of the tree as it is reached and as it gives its value, which may be a view of the input. */
export interface NodeWatcher {
  reached(node: AstNode): void;
  gave(node: AstNode, value: unknown): void;
}

/** A source as the jsonata package parsed it. Its interpreter evaluates the tree itself. */
export interface ParsedTree {
  readonly parsed: jsonata.Expression;
  readonly ast: AstNode;
}

/** @throws what the package's parser throws: a plain object with a code, or a SyntaxError for a regular expression. */
export function parseTree(source: string, { depth, sequence }: Limits): ParsedTree {
  const parsed = jsonata(source, { sequence, timeout: 0, ...(depth === undefined ? {} : { stack: depth }) });
  return { parsed, ast: treeOf(parsed) };
}

/** Gives the value for an input. @throws {ExpressionError} (rejects with it) when the expression fails or exceeds its limits. */
export type Interpret = (input: unknown, evaluation?: Evaluation) => Promise<unknown>;

/** An evaluation of the interpreter's: where its frames come together. */
interface Base {
  RegexEngine: RegExpConstructor;
  lookup(name: string): unknown;
}

interface Frame {
  readonly base: Base;
}

/** The object that the interpreter passes to a function as `this`. */
interface Focus {
  readonly environment: Frame;
  readonly input: unknown;
}

type Call = (this: Focus, ...values: unknown[]) => unknown;

/**
 * The interpreter of a tree, held to the limits of compiled code: every node and every call of a function takes steps, and no
 * value may weigh more than the limit. Changes the tree: each `..` becomes a call of the bounded range.
 */
export function createInterpreter(
  { parsed, ast }: ParsedTree,
  settings: InterpreterSettings,
  watcher?: NodeWatcher,
): Interpret {
  guardInterpreter(parsed, settings, watcher);
  replaceRanges(ast);
  return async (input, evaluation = {}) => {
    try {
      return await parsed.evaluate(input, { ...evaluation.bindings, [EVALUATION]: evaluation });
    } catch (error: unknown) {
      throw evaluationError(error);
    }
  };
}

function guardInterpreter(
  parsed: jsonata.Expression,
  { limits, nowMs, monotonicMs, functions = new Map() }: InterpreterSettings,
  watcher: NodeWatcher | undefined,
): void {
  // Weak, and by the frame of one evaluation: a guard lives no longer than its evaluation.
  const guards = new WeakMap<Base, Guard>();
  const scales = new Scales(limits.weight);
  const guardOf = (base: Base): Guard => {
    let guard = guards.get(base);
    if (guard === undefined) {
      guard = new Guard({ ...limits, nowMs, monotonicMs });
      const evaluation = base.lookup(EVALUATION) as Evaluation | undefined;
      guard.start(evaluation?.nowMs, evaluation?.meter);
      guards.set(base, guard);
      base.RegexEngine = createRegexEngine(guard);
    }
    return guard;
  };
  onEach(parsed, "entry", (node, frame) => {
    guardOf(frame.base).tick(STEPS_PER_NODE);
    watcher?.reached(node);
  });
  onEach(parsed, "exit", (node, frame, value) => {
    scales.check(value);
    guardOf(frame.base).tick(scales.weigh(value) / WEIGHT_PER_STEP);
    watcher?.gave(node, value);
  });
  const assign = (name: string, original: ReferenceFunction, call: Call): void => {
    // The interpreter reads the names of the parameters when it applies a function in part.
    const text = String(original.implementation);
    const calling: Call = function (...values) {
      try {
        return call.apply(this, values);
      } catch (error: unknown) {
        throw withOwnMessage(error);
      }
    };
    const implementation = Object.defineProperties(calling, {
      length: { value: original.implementation.length },
      toString: { value: () => text },
    });
    parsed.assign(name, { ...original, implementation });
  };
  for (const definition of FUNCTIONS.values()) {
    const { name, callsBack } = definition;
    const original = nativeOf(definition);
    const compiled = (functions.get(name) ?? COMPILED_FUNCTIONS.get(name)) as CompiledFunction;
    const call = original.implementation as Call;
    assign(name, original, function (...values) {
      const guard = guardOf(this.environment.base);
      guard.tick();
      guard.given(values);
      if (callsBack !== true) return compiled.invoke(guard, values, this.input);
      // The package's own implementation waits for the functions that it calls.
      return call.apply(
        this,
        values.map((value) => counted(guard, value)),
      );
    });
  }
  parsed.assign(RANGE_FUNCTION, {
    _jsonata_function: true,
    implementation(this: Focus, first: unknown, last: unknown) {
      return range(guardOf(this.environment.base), first, last, 0, RANGE_FUNCTION);
    },
  });
  const evaluateText = builtinOf("eval") as ReferenceFunction;
  assign("eval", evaluateText, function (...values) {
    const [text] = values;
    const tooBig = typeof text === "string" ? faultOfSize(text, { copies: COPIED_TOKENS }) : undefined;
    if (tooBig !== undefined) throw new ExpressionError("D3120", tooBig.message, { value: tooBig.message });
    if (typeof text === "string") guardOf(this.environment.base).tick(text.length * STEPS_PER_PARSED);
    return (evaluateText.implementation as Call).apply(this, values);
  });
}

/** The interpreter writes a message of its own into whatever has a code that it knows. */
function withOwnMessage(error: unknown): unknown {
  if (!(error instanceof ExpressionError)) return error;
  const { message } = error;
  return Object.defineProperty(error, "message", {
    get: () => message,
    set() {
      // Ours stays.
    },
  });
}

/** A function whose calls are counted: those of a built-in function pass no node of the expression. */
function counted(guard: Guard, value: unknown): unknown {
  if (typeof value !== "function") return value;
  const call = value as Call & { readonly arity?: number };
  const counting: Call = function (...values) {
    guard.tick();
    return call.apply(this, values);
  };
  return Object.assign(counting, { arity: call.arity ?? call.length });
}

/** Makes every `..` of a tree a call of the bounded range: JSONata has no other way to replace an operator. */
function replaceRanges(ast: AstNode): void {
  walk(ast, (node) => {
    if (node.type !== "binary" || node.value !== "..") return;
    node.arguments = [node.lhs as AstNode, node.rhs as AstNode];
    node.procedure = { type: "variable", value: RANGE_FUNCTION };
    node.type = "function";
  });
}

function onEach(
  parsed: jsonata.Expression,
  when: "entry" | "exit",
  call: (node: AstNode, frame: Frame, value: unknown) => void,
): void {
  const name = Symbol.for(`jsonata.__evaluate_${when}`) as unknown as string;
  parsed.assign(name, (node: AstNode, _input: unknown, frame: Frame, value: unknown) => {
    try {
      call(node, frame, value);
    } catch (error: unknown) {
      throw withOwnMessage(error);
    }
  });
}
