// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type jsonata from "jsonata";
import { RANGE_FUNCTION } from "./bounded-builtins.ts";
import { COMPILED_FUNCTIONS } from "../functions/table.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { builtinOf } from "../functions/reference-functions.ts";
import type { ReferenceFunction } from "../runtime/jsonata-functions.ts";
import { createRegexEngine } from "./regex-engine.ts";
import type { CompiledFunction } from "../runtime/callee.ts";
import { range } from "../runtime/operators.ts";
import { Guard, type GuardLimits, type Meter } from "../runtime/guard.ts";
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

/** Under this name an evaluation's meter is bound, if it shares one; no expression can name it. */
export const METER = "the request's meter";

/** An evaluation of the interpreter's: where its frames come together. */
interface Base {
  RegexEngine: RegExpConstructor;
  lookup(name: string): unknown;
}

interface Frame {
  readonly base: Base;
}

/** What the interpreter gives a function as `this`. */
interface Focus {
  readonly environment: Frame;
  readonly input: unknown;
}

type Call = (this: Focus, ...values: unknown[]) => unknown;

/** Functions that call others: the interpreter's own wait for them, ours do not. */
const WAITING: ReadonlySet<string> = new Set(
  "map filter single reduce each sift sort contains match replace split".split(" "),
);

/**
 * Holds what the interpreter evaluates to the limits of compiled code: every node and every call of a function takes steps,
 * and no value may weigh more than the limit.
 * @param limits `sequence` and `weight` must be given.
 * @param functions In place of the usual ones.
 */
export function guardInterpreter(
  parsed: jsonata.Expression,
  limits: GuardLimits & { readonly sequence: number; readonly weight: number },
  functions: ReadonlyMap<string, CompiledFunction> = new Map(),
): void {
  const guards = new WeakMap<Base, Guard>();
  const scales = new Scales(limits.weight);
  const guardOf = (base: Base): Guard => {
    let guard = guards.get(base);
    if (guard === undefined) {
      guard = new Guard(limits);
      guard.start(undefined, base.lookup(METER) as Meter | undefined);
      guards.set(base, guard);
      base.RegexEngine = createRegexEngine({ items: limits.sequence, weight: Infinity }, guard);
    }
    return guard;
  };
  onEach(parsed, "entry", (frame) => guardOf(frame.base).tick(STEPS_PER_NODE));
  onEach(parsed, "exit", (frame, value) => {
    scales.check(value);
    guardOf(frame.base).tick(scales.weigh(value) / WEIGHT_PER_STEP);
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
  for (const [name, compiled] of COMPILED_FUNCTIONS) {
    const original = builtinOf(name);
    if (original === undefined || name === "now" || name === "millis") continue;
    const call = original.implementation as Call;
    assign(name, original, function (...values) {
      const guard = guardOf(this.environment.base);
      guard.tick();
      guard.given(values);
      if (!WAITING.has(name)) return (functions.get(name) ?? compiled).invoke(guard, values, this.input);
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
export function replaceRanges(ast: AstNode): void {
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
  call: (frame: Frame, value: unknown) => void,
): void {
  const name = Symbol.for(`jsonata.__evaluate_${when}`) as unknown as string;
  parsed.assign(name, (_node: unknown, _input: unknown, frame: Frame, value: unknown) => {
    try {
      call(frame, value);
    } catch (error: unknown) {
      throw withOwnMessage(error);
    }
  });
}
