// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KeyTest } from "../../expressions/analysis/key-tests.ts";
import type { ParsedSource } from "../../expressions/analysis/parsed-source.ts";
import type { ExpressionFault } from "../../expressions/errors/expression-error.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import type { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/**
 * The interface between Purser and the language of its documents. Callers do not depend on the engine behind
 * it: a compiled expression returns its value, an interpreted expression returns a promise.
 */
export interface Expression extends ParsedSource {
  readonly engine: "interpreted" | "compiled";
  /** False when the value depends on more than the bag: $now, $millis, $random, $shuffle. */
  readonly cacheable: boolean;
  /**
   * The value for `bag`; undefined when it is absent. The engine's limits bound time, depth and sequence
   * length.
   * @throws {ExpressionError} (or rejects with it) when the expression fails or exceeds its limits.
   */
  evaluate(bag: AttributeBag, context: EvaluationContext): MaybePromise<unknown>;
  /** Tests that are necessary for the value to be true, by which an index finds the condition among many. */
  readonly keyTests?: () => readonly KeyTest[];
}

/** The facts that all expressions of one request share. */
export interface EvaluationContext {
  /** The time of $now() and $millis(), in milliseconds since the epoch. */
  readonly nowMs: number;
  /** The request's values with the record of each read; absent when no caller needs the references. */
  readonly reads?: Reads;
}

export type CompileResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: ExpressionFault };

export type CompileExpression = (source: string) => CompileResult;
