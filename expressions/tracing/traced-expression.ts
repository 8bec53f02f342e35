// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { DataObject } from "../data.ts";
import { createRecorder, isView } from "../runtime/reads/recorder.ts";
import {
  boundedBuiltins,
  type Builtin,
  clockBuiltins,
  RANGE_FUNCTION,
} from "../interpreter/bounded-builtins.ts";
import { isBounded } from "../analysis/checks.ts";
import type { ExpressionError } from "../errors/expression-error.ts";
import { evaluationError, OUT_OF_TIME } from "../errors/failures.ts";
import { type AstNode, walk } from "../syntax/ast.ts";
import { DEFAULT_EXPRESSION_LIMITS, type ExpressionLimits } from "../interpreter/limits.ts";
import { Scales } from "../interpreter/scales.ts";
import { plainValue } from "../runtime/plain-value.ts";
import { createRegexEngine } from "../interpreter/regex-engine.ts";
import { treeOf } from "../syntax/tree-of.ts";
import { type OutlineNode, outlineOf, outlineParts } from "./syntax-outline.ts";

/** Told of each sub-expression as it is reached and as it gives its value, which may be a view of the bag. */
export interface TraceWatcher {
  reached(part: OutlineNode): void;
  gave(part: OutlineNode, value: unknown): void;
}

/** What is fixed for one evaluation. */
export interface TraceContext {
  /** The time that $now() and $millis() give, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** An expression that tells what each of its parts gives. */
export interface TracedExpression {
  readonly source: string;
  readonly outline: OutlineNode;
  readonly parts: readonly OutlineNode[];
  /**
   * The value as the engine gives it. One evaluation at a time: the next begins when the last has ended.
   * @throws {ExpressionError} (rejects with it) when the engine would.
   */
  evaluate(bag: DataObject, context: TraceContext, watcher: TraceWatcher): Promise<unknown>;
}

/** Makes expressions traceable: the same functions, clock and limits as the engine, with a watcher on every node. */
export type Tracer = (source: string) => TracedExpression;

/**
 * Remembers what it has parsed, so it should live no longer than the documents whose expressions it traces.
 * @param given Those of the engine whose expressions are traced; default its defaults.
 */
export function createTracer(given: Partial<ExpressionLimits> = {}): Tracer {
  const known = new Map<string, TracedExpression>();
  const limits: ExpressionLimits = { ...DEFAULT_EXPRESSION_LIMITS, ...given };
  const builtins = boundedBuiltins(limits);
  return (source) => {
    let traced = known.get(source);
    if (traced === undefined) known.set(source, (traced = traceable(source, limits, builtins)));
    return traced;
  };
}

function traceable(
  source: string,
  limits: ExpressionLimits,
  builtins: ReadonlyMap<string, Builtin>,
): TracedExpression {
  const RegexEngine = createRegexEngine(limits);
  const options = { stack: limits.depth, sequence: limits.items, RegexEngine, timeout: 0 };
  const parsed = jsonata(source, options);
  const ast = treeOf(parsed);
  const outline = outlineOf(ast, source);
  const parts = outlineParts(outline);
  const partOf = new Map(parts.map((part) => [part.ast, part]));
  const bounded = isBounded(ast);
  if (!bounded) options.timeout = limits.timeoutMs;
  replaceRanges(ast);
  for (const [name, builtin] of builtins) parsed.assign(name, builtin);
  let watcher: TraceWatcher | undefined;
  const scales = bounded ? undefined : new Scales(limits.weight);
  hook(parsed, "entry", (node) => {
    const part = partOf.get(node);
    if (part !== undefined) watcher?.reached(part);
  });
  hook(parsed, "exit", (node, value) => {
    scales?.check(value);
    const part = partOf.get(node);
    if (part !== undefined) watcher?.gave(part, singular(node, value));
  });
  const evaluateOnce = async (bag: DataObject, { nowMs }: TraceContext, watching: TraceWatcher) => {
    watcher = watching;
    try {
      const input = bounded || isView(bag) ? bag : createRecorder(bag).view;
      return plainValue(await parsed.evaluate(input, clockBuiltins(nowMs)));
    } catch (error: unknown) {
      throw evaluationError(error);
    } finally {
      watcher = undefined;
    }
  };
  return {
    source,
    outline,
    parts,
    evaluate: (bag, context, watching) =>
      evaluateOnce(bag, context, watching).catch((error: ExpressionError) => {
        // As the engine does: it may have been the process that paused.
        if (error.code === OUT_OF_TIME) return evaluateOnce(bag, context, watching);
        throw error;
      }),
  };
}

function hook(
  parsed: jsonata.Expression,
  when: "entry" | "exit",
  call: (node: AstNode, value: unknown) => void,
): void {
  const name = Symbol.for(`jsonata.__evaluate_${when}`) as unknown as string;
  parsed.assign(name, (node: unknown, _input: unknown, _frame: unknown, value: unknown) =>
    call(node as AstNode, value),
  );
}

/** What JSONata makes of a sequence once its hook has been told: nothing of an empty one, the item of one of one. */
function singular(node: AstNode, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const { sequence, tupleStream, keepSingleton } = value as unknown as Record<string, unknown>;
  if (sequence !== true || tupleStream === true) return value;
  if (value.length === 0) return undefined;
  return value.length === 1 && keepSingleton !== true && node.keepArray !== true ? value[0] : value;
}

/** As the engine does: every `..` is a call of the bounded range. */
function replaceRanges(ast: AstNode): void {
  walk(ast, (node) => {
    if (node.type !== "binary" || node.value !== "..") return;
    node.arguments = [node.lhs as AstNode, node.rhs as AstNode];
    node.procedure = { type: "variable", value: RANGE_FUNCTION };
    node.type = "function";
  });
}
