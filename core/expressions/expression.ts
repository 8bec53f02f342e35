// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributePath } from "../attributes/bag.ts";
import type { AstNode } from "./jsonata-ast.ts";
import type { Reads } from "../attributes/reads.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/**
 * The one interface between Purser and the language of its documents. Callers never know which engine is behind it:
 * an engine that has its answer at hand returns the value, one that has not returns a promise.
 */
export interface Expression {
  readonly source: string;
  readonly engine: "interpreted" | "compiled";
  readonly references: StaticReferences;
  /** False when the value depends on more than the bag: $now, $millis, $random, $shuffle. */
  readonly cacheable: boolean;
  /**
   * The value for `bag`; undefined when it has none. Bounded in time, depth and sequence length by the engine's limits.
   * @throws {ExpressionError} (or rejects with it) when the expression fails or exceeds its limits.
   */
  evaluate(bag: AttributeBag, context: EvaluationContext): MaybePromise<unknown>;
  /** The syntax tree as the parser made it; absent where an interpreter has changed its own. */
  readonly ast?: AstNode;
}

/** What is fixed for all expressions of one request. */
export interface EvaluationContext {
  /** The time that $now() and $millis() give, in milliseconds since the epoch. */
  readonly nowMs: number;
  /** Where reads of `bag` are noted; absent when nobody asks what was read. */
  readonly reads?: Reads;
}

/** What an expression can read, found without running it. */
export interface StaticReferences {
  readonly paths: readonly StaticReference[];
  /** False when it may read more than `paths`: wildcards, $lookup with a computed key, `$` handed to a function. */
  readonly exact: boolean;
}

export interface StaticReference {
  readonly path: AttributePath;
  /** Where the path begins in the source: an offset in UTF-16 units. */
  readonly offset: number;
}

/** Why an expression cannot be compiled. */
export interface ExpressionFault {
  readonly code: "PURSER_EXPR_SYNTAX" | "PURSER_EXPR_FORBIDDEN";
  readonly message: string;
  /** Offset in the source, in UTF-16 units. */
  readonly offset: number;
}

export type CompileResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly fault: ExpressionFault };

export type CompileExpression = (source: string) => CompileResult;

/** The token that an error is at, as JSONata says it: a name or an operator, or the value of a literal. */
export type Token = string | number | boolean;

/** A failed evaluation, with JSONata's own code, such as T2009 or D1012 (out of time). */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  readonly code: string;
  /** Where the token ends that failed, as JSONata says it: UTF-16 units from the start of the source. */
  position: number | undefined;
  /** The operator or function that failed. */
  token: Token | undefined;
  /** The value that was at fault. */
  readonly value: unknown;
  /** The function that says so, where JSONata names it besides the token. */
  readonly functionName: string | undefined;

  constructor(
    code: string,
    message: string,
    options: {
      readonly position?: number;
      readonly token?: Token;
      readonly value?: unknown;
      readonly functionName?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.position = options.position;
    this.token = options.token;
    this.value = options.value;
    this.functionName = options.functionName;
  }
}
