// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { linearMatches, linearSearch } from "./regex/linear-engine.ts";
import { matchStepsPerChar, searchStepsPerChar } from "./regex/linear-proof.ts";
import { isAnchored, literalPrefixOf } from "./regex/literal-prefix.ts";
import { nativeMatches, nativeSearch } from "./regex/native-engine.ts";
import { compileProgram, NoProgram } from "./regex/program.ts";
import { groupCountOf, searchDifference } from "./regex/re2-search.ts";
import { Re2SyntaxError, translateRe2, translateRe2Search } from "./regex/re2-syntax.ts";
import type { Search, WholeMatch } from "./regex/search.ts";

/**
 * Regular expressions that users write, with JavaScript's syntax and meaning (ECMA-262 with Annex B, without
 * the flags `u` and `v`), matched in time linear in the text, so that no pattern can stall the event loop.
 * JavaScript's own engine is fast but backtracks: it runs the patterns that are proven linear on it. An
 * automaton with the same results runs the others. Backreferences and lookaround, which no automaton can do,
 * are refused at compile time unless the proof holds.
 */
export interface Regex extends Search {
  readonly source: string;
  /**
   * Engine of `find` and `test`. With "native" it also runs `matches`; with "linear" `matches` may still be
   * native.
   */
  readonly engine: "native" | "linear";
  /**
   * Text that every match begins with, when the pattern begins with `^` and text and has no flag `i` or `m`;
   * else "".
   */
  readonly literalPrefix: string;
  readonly matches: WholeMatch;
}

export type RegexResult =
  | { readonly ok: true; readonly regex: Regex }
  | { readonly ok: false; readonly message: string };

/** `g` is accepted and has no effect. */
const FLAGS = "imsg";

const PARSER = new RegExpParser({ ecmaVersion: 2025, strict: false });

/** Longer patterns are rarely proven linear, and the attempt is expensive. */
const MAX_PROVEN_CHARS = 1_000;
const MAX_PATTERN_CHARS = 10_000;

/** Compiles `pattern`, in JavaScript's syntax, with `flags` out of `i`, `m`, `s` and `g`. */
export function compileRegex(pattern: string, flags = ""): RegexResult {
  for (const flag of flags) if (!FLAGS.includes(flag)) return refused(`unknown flag "${flag}"`);
  const own = [...new Set(flags)].filter((flag) => flag !== "g").join("");
  return compileWith(pattern, () => pattern, own);
}

/** Compiles `pattern` in RE2's syntax, with RE2's meaning. Groups capture nothing: for `matches` of whole texts. */
export function compileRe2(pattern: string): RegexResult {
  return compileWith(pattern, translateRe2, "");
}

/**
 * Compiles `pattern`, in RE2's syntax, for `find` with RE2's groups, on texts without surrogates. Patterns whose
 * groups or preferences JavaScript would take differently are refused.
 *
 * @returns Also the number of groups.
 */
export function compileRe2Search(pattern: string): RegexResult & { readonly groupCount: number } {
  let groupCount = 0;
  const result = compileWith(pattern, translateRe2Search, "", (parsed) => {
    const difference = searchDifference(parsed);
    if (difference !== undefined) throw new Re2SyntaxError(difference);
    groupCount = groupCountOf(parsed);
  });
  return { ...result, groupCount };
}

/**
 * @param translate Gives the pattern in JavaScript's syntax.
 * @param inspect Told of the translated pattern; may refuse it by a Re2SyntaxError.
 */
function compileWith(
  pattern: string,
  translate: (pattern: string) => string,
  flags: string,
  inspect?: (parsed: AST.Pattern) => void,
): RegexResult {
  if (pattern.length > MAX_PATTERN_CHARS)
    return refused(`the pattern is longer than ${MAX_PATTERN_CHARS} characters`);
  try {
    const source = translate(pattern);
    // JavaScript decides what a valid pattern is: newer versions may accept more.
    void new RegExp(source, flags);
    const parsed = PARSER.parsePattern(source);
    inspect?.(parsed);
    return { ok: true, regex: { ...compileParsed(parsed, source, flags), source: pattern } };
  } catch (error: unknown) {
    if (error instanceof NoProgram || error instanceof Re2SyntaxError) return refused(error.message);
    if (error instanceof SyntaxError) return refused(explain(error));
    if (error instanceof RangeError) return refused("the pattern nests too deeply");
    throw error;
  }
}

function compileParsed(parsed: AST.Pattern, source: string, flags: string): Regex {
  const isShort = source.length <= MAX_PROVEN_CHARS;
  const searchSteps = isShort ? searchStepsPerChar(parsed, flags) : undefined;
  const matchSteps = isShort ? matchStepsPerChar(parsed, flags) : undefined;
  const literalPrefix = literalPrefixOf(parsed, flags);
  const anchored = isAnchored(parsed, flags);
  if (searchSteps !== undefined && matchSteps !== undefined) {
    const search = nativeSearch(source, flags, searchSteps, anchored);
    return {
      source,
      engine: "native",
      literalPrefix,
      ...search,
      matches: nativeMatches(source, flags, matchSteps),
    };
  }
  const program = compileProgram(parsed, flags);
  const search =
    searchSteps === undefined ? linearSearch(program) : nativeSearch(source, flags, searchSteps, anchored);
  const matches =
    matchSteps === undefined ? linearMatches(program) : nativeMatches(source, flags, matchSteps);
  return {
    source,
    engine: searchSteps === undefined ? "linear" : "native",
    literalPrefix,
    ...search,
    matches,
  };
}

function refused(message: string): RegexResult {
  return { ok: false, message };
}

/** JavaScript's message for an invalid pattern, without the pattern itself. */
function explain({ message }: SyntaxError): string {
  const said = message.slice(message.lastIndexOf("/: ") + 3);
  return said === "Unterminated group"
    ? "missing closing )"
    : `${said.charAt(0).toLowerCase()}${said.slice(1)}`;
}
