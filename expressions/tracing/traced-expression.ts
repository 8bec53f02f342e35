// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataObject } from "../data.ts";
import { createInterpreter, type InterpreterSettings, parseTree } from "../interpreter/interpreter.ts";
import { plainValue } from "../runtime/plain-value.ts";
import { createRecorder, isView } from "../runtime/reads/recorder.ts";
import type { AstNode } from "../syntax/ast.ts";
import { type OutlineNode, outlineOf, outlineParts } from "./syntax-outline.ts";

/** Callbacks at the start and the end of each part's evaluation; a value may be a view of the bag. */
export interface TraceWatcher {
  reached(part: OutlineNode): void;
  gave(part: OutlineNode, value: unknown): void;
}

/** The facts of one evaluation. */
export interface TraceContext {
  /** The time that $now() and $millis() give, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** An expression that reports the value of each of its parts. */
export interface TracedExpression {
  readonly source: string;
  readonly outline: OutlineNode;
  readonly parts: readonly OutlineNode[];
  /**
   * The value, as the engine gives it. Evaluations must not overlap.
   * @throws {ExpressionError} (rejects with it) when the engine would, or when the interpreter exceeds the
   *   limits.
   */
  evaluate(bag: DataObject, context: TraceContext, watcher: TraceWatcher): Promise<unknown>;
}

/** Makes an expression traceable: the engine's interpreter, with a watcher on every node. */
export type Tracer = (source: string) => TracedExpression;

/**
 * Makes a tracer. It remembers each source that it has parsed: keep it no longer than the documents whose
 * expressions it traces.
 */
export function createTracer(settings: InterpreterSettings): Tracer {
  const known = new Map<string, TracedExpression>();
  return (source) => {
    let traced = known.get(source);
    if (traced === undefined) known.set(source, (traced = traceable(source, settings)));
    return traced;
  };
}

function traceable(source: string, settings: InterpreterSettings): TracedExpression {
  const tree = parseTree(source, settings.limits);
  const { root: outline, partOf } = outlineOf(tree.ast, source);
  let watcher: TraceWatcher | undefined;
  const interpret = createInterpreter(tree, settings, {
    reached(node) {
      const part = partOf.get(node);
      if (part !== undefined) watcher?.reached(part);
    },
    gave(node, value) {
      const part = partOf.get(node);
      if (part !== undefined) watcher?.gave(part, singular(node, value));
    },
  });
  return {
    source,
    outline,
    parts: outlineParts(outline),
    async evaluate(bag, context, watching) {
      watcher = watching;
      try {
        // The interpreter writes to its input, and a view ignores writes.
        return plainValue(await interpret(isView(bag) ? bag : createRecorder(bag).view, context));
      } finally {
        watcher = undefined;
      }
    },
  };
}

/**
 * The value of a sequence after JSONata's hook: absent for an empty sequence, the item for a sequence of one.
 */
function singular(node: AstNode, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const { sequence, tupleStream, keepSingleton } = value as unknown as Record<string, unknown>;
  if (sequence !== true || tupleStream === true) return value;
  if (value.length === 0) return undefined;
  return value.length === 1 && keepSingleton !== true && node.keepArray !== true ? value[0] : value;
}
