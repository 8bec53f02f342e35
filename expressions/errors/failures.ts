// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError, type ExpressionFault, type Token } from "./expression-error.ts";
import { foreignConstructs } from "../../kernel/matching/regex/foreign-syntax.ts";
import { TOO_LARGE } from "../interpreter/limits.ts";
import { type FailureFacts, messageOfFailure } from "./messages.ts";
import { syntaxHint } from "../syntax/syntax-hints.ts";

/** Longest message that is passed on: JSONata quotes values, and a request's values can be long. */
const MESSAGE_LENGTH = 300;

/** JSONata's code when an evaluation has taken too long. */
export const OUT_OF_TIME = "D1012";
const TOO_DEEP = "D1011";
/** For what is thrown without a code: an engine's own mistake, not one of the expression's. */
const NO_CODE = "UNKNOWN";

/** What JSONata throws: a plain object. Its position is where the token ends. */
interface JsonataFailure extends FailureFacts {
  readonly message?: unknown;
  readonly position?: unknown;
}

export function evaluationError(thrown: unknown): ExpressionError {
  if (thrown instanceof ExpressionError && thrown.message.length <= MESSAGE_LENGTH) return thrown;
  const failure = (typeof thrown === "object" && thrown !== null ? thrown : {}) as JsonataFailure;
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

export function syntaxFault(thrown: unknown, source: string): ExpressionFault {
  const failure = (typeof thrown === "object" && thrown !== null ? thrown : {}) as JsonataFailure;
  if (thrown instanceof RangeError)
    return { code: "PURSER_EXPR_SYNTAX", message: "the expression is nested too deeply", offset: 0 };
  const message = messageOf(thrown, failure).replace(/\.$/, "");
  if (thrown instanceof SyntaxError) {
    // JavaScript's parser of regular expressions, which JSONata calls: it quotes the pattern and gives no place.
    const pattern = /^Invalid regular expression: (\/.*\/)[a-z]*: /s.exec(message)?.[1];
    const at = pattern === undefined ? -1 : source.indexOf(pattern);
    const [foreign] = pattern === undefined || at < 0 ? [] : foreignConstructs(pattern.slice(1, -1));
    if (foreign === undefined) return { code: "PURSER_EXPR_SYNTAX", message, offset: Math.max(0, at) };
    return { code: "PURSER_EXPR_SYNTAX", message: foreign.message, offset: at + 1 + foreign.start };
  }
  const code = typeof failure.code === "string" ? ` (${failure.code})` : "";
  const hint = syntaxHint(source, String(failure.code));
  return {
    code: "PURSER_EXPR_SYNTAX",
    message: `${hint?.message ?? message}${code}`,
    offset: hint?.offset ?? offsetOf(failure, source) ?? 0,
  };
}

function codeOf(thrown: unknown, failure: JsonataFailure): string {
  if (thrown instanceof ExpressionError) return thrown.code;
  if (typeof failure.code === "string") return failure.code;
  if (!(thrown instanceof RangeError)) return NO_CODE;
  return /call stack/.test(thrown.message) ? TOO_DEEP : TOO_LARGE;
}

function messageOf(thrown: unknown, failure: JsonataFailure): string {
  const message =
    typeof failure.message === "string"
      ? failure.message
      : (messageOfFailure(failure) ?? String(failure.code ?? thrown));
  return message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH)}…` : message;
}

function offsetOf({ position, token }: JsonataFailure, source: string): number | undefined {
  if (typeof position !== "number" || !Number.isFinite(position)) return undefined;
  const end = Math.min(position, source.length);
  if (typeof token !== "string" || token === "") return end;
  // For a call it is the end of the opening bracket, with the function's name before it.
  const at = source.lastIndexOf(token, end - 1);
  if (at < 0) return end;
  return source[at - 1] === "$" ? at - 1 : at;
}
