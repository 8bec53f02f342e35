// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The reason why an expression cannot be compiled. */
export interface ExpressionFault {
  readonly code: "PURSER_EXPR_SYNTAX" | "PURSER_EXPR_FORBIDDEN";
  readonly message: string;
  /** Offset in the source, in UTF-16 units. */
  readonly offset: number;
}

/** The token that an error reports, as in JSONata: a name or an operator, or the value of a literal. */
export type Token = string | number | boolean;

/** The error of an evaluation, with JSONata's own code, such as T2009 or D1012 (out of time). */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  readonly code: string;
  /** End of the token that failed, as in JSONata: an offset in UTF-16 units. */
  position: number | undefined;
  /** The operator or function that failed. */
  token: Token | undefined;
  /** The offending value. */
  readonly value: unknown;
  /** The function that reports the error, where JSONata names it besides the token. */
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
