// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRegex, type RegexResult } from "../../kernel/matching/regex.ts";

/**
 * Compiling takes milliseconds, and a literal is checked, written into code and interpreted. Weak, and by the literal, which is
 * the parser's own object.
 */
const compiled = new WeakMap<RegExp, RegexResult>();

/** What runs the regular expression that is written in an expression, compiled once for each place where one is written. */
export function compileLiteral(literal: RegExp): RegexResult {
  let result = compiled.get(literal);
  if (result === undefined) compiled.set(literal, (result = compileRegex(literal.source, literal.flags)));
  return result;
}
