// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError, type Token } from "./expression-error.ts";

import { type FailureFacts, messageOfFailure } from "./messages.ts";
import { TOO_LARGE } from "./too-large.ts";

/**
 * Longest message, in UTF-16 units, that is passed on: JSONata quotes values, and a request's values can be
 * long.
 */
const MESSAGE_LENGTH = 300;

/**
 * JSONata's code for an evaluation that took too long: the one failure that may depend on the load of the
 * host.
 */
export const OUT_OF_TIME = "D1012";
const TOO_DEEP = "D1011";
/** Code for an error without one: a defect of the engine, not an error of the expression. */
const NO_CODE = "UNKNOWN";

/** An error as JSONata throws it: a plain object, whose position is the end of the token. */
export interface JsonataFailure extends FailureFacts {
  readonly message?: unknown;
  readonly position?: unknown;
}

/** The properties of a value that JSONata threw; none for a value that is not an object. */
export function failureIn(thrown: unknown): JsonataFailure {
  return typeof thrown === "object" && thrown !== null ? thrown : {};
}

export function evaluationError(thrown: unknown): ExpressionError {
  if (thrown instanceof ExpressionError && thrown.message.length <= MESSAGE_LENGTH) return thrown;
  const failure = failureIn(thrown);
  const { position, token, value, functionName } = failure;
  return new ExpressionError(codeOf(thrown, failure), messageOf(thrown, failure), {
    ...(typeof position === "number" ? { position } : {}),
    ...(isToken(token) ? { token } : {}),
    value,
    ...(typeof functionName === "string" ? { functionName } : {}),
    ...(thrown instanceof ExpressionError ? {} : { cause: thrown }),
  });
}

function isToken(token: unknown): token is Token {
  return typeof token === "string" || typeof token === "number" || typeof token === "boolean";
}

function codeOf(thrown: unknown, failure: JsonataFailure): string {
  if (thrown instanceof ExpressionError) return thrown.code;
  if (typeof failure.code === "string") return failure.code;
  if (!(thrown instanceof RangeError)) return NO_CODE;
  return /call stack/.test(thrown.message) ? TOO_DEEP : TOO_LARGE;
}

/** The message of a thrown value, cut to the longest length that may be passed on. */
export function messageOf(thrown: unknown, failure: JsonataFailure): string {
  const message =
    typeof failure.message === "string"
      ? failure.message
      : (messageOfFailure(failure) ?? String(failure.code ?? thrown));
  return message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH)}…` : message;
}
