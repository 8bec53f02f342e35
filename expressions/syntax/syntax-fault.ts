// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { foreignConstructs } from "../../kernel/matching/regex/foreign-syntax.ts";
import type { ExpressionFault } from "../errors/expression-error.ts";
import { failureIn, type JsonataFailure, messageOf } from "../errors/failures.ts";
import { syntaxHint } from "./syntax-hints.ts";

/** The fault of a source that does not parse, from the value that the parser threw. */
export function syntaxFault(thrown: unknown, source: string): ExpressionFault {
  const failure = failureIn(thrown);
  if (thrown instanceof RangeError)
    return { code: "PURSER_EXPR_SYNTAX", message: "the expression is nested too deeply", offset: 0 };
  const message = messageOf(thrown, failure).replace(/\.$/, "");
  if (thrown instanceof SyntaxError) {
    // JavaScript's own parser of regular expressions throws without a position, but quotes the pattern.
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

function offsetOf({ position, token }: JsonataFailure, source: string): number | undefined {
  if (typeof position !== "number" || !Number.isFinite(position)) return undefined;
  const end = Math.min(position, source.length);
  if (typeof token !== "string" || token === "") return end;
  // For a call the position is the end of the opening bracket; the function's name stands before it.
  const at = source.lastIndexOf(token, end - 1);
  if (at < 0) return end;
  return source[at - 1] === "$" ? at - 1 : at;
}
