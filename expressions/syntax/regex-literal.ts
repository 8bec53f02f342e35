// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRegex, type RegexResult } from "../../kernel/matching/regex.ts";

/**
 * Memo of compiled literals: compiling takes milliseconds, and a literal is checked, compiled into code and
 * interpreted. A WeakMap by the literal, which is the parser's own object.
 */
const compiled = new WeakMap<RegExp, RegexResult>();

/** The compiled regular expression of a literal, compiled once for each literal object. */
export function compileLiteral(literal: RegExp): RegexResult {
  let result = compiled.get(literal);
  if (result === undefined) compiled.set(literal, (result = compileRegex(literal.source, literal.flags)));
  return result;
}
