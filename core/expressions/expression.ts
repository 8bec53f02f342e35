// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { KeyTest } from "../../expressions/analysis/key-tests.ts";
import type { ParsedSource } from "../../expressions/analysis/parsed-source.ts";
import type { ExpressionFault } from "../../expressions/errors/expression-error.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import type { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/**
 * The one interface between Purser and the language of its documents. Callers never know which engine is behind it:
 * an engine that has its answer at hand returns the value, one that has not returns a promise.
 */
export interface Expression extends ParsedSource {
  readonly engine: "interpreted" | "compiled";
  /** False when the value depends on more than the bag: $now, $millis, $random, $shuffle. */
  readonly cacheable: boolean;
  /**
   * The value for `bag`; undefined when it has none. Bounded in time, depth and sequence length by the engine's limits.
   * @throws {ExpressionError} (or rejects with it) when the expression fails or exceeds its limits.
   */
  evaluate(bag: AttributeBag, context: EvaluationContext): MaybePromise<unknown>;
  /** The tests that must hold for the value to be true, by which a condition is found among many. */
  readonly keyTests?: () => readonly KeyTest[];
}

/** The facts that all expressions of one request share. */
export interface EvaluationContext {
  /** The time that $now() and $millis() give, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** The request's values, and a note of each read; absent when nobody asks what was read. */
  readonly reads?: Reads;
}

export type CompileResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: ExpressionFault };

export type CompileExpression = (source: string) => CompileResult;
