// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { RE2JS } from "re2js";
import { matchesInLinearTime, searchesInLinearTime } from "./regex/linear-proof.ts";
import { literalPrefixOf } from "./regex/literal-prefix.ts";

/**
 * Regular expressions that users write, matched in time linear in the text (of up to a mebibyte), so that no pattern
 * can stall the loop on any input. JavaScript's own engine, which is fast but backtracks, runs those for which it is
 * proven that this cannot grow; automata (RE2) run the others. What RE2 lacks, backreferences and lookaround, is
 * refused when compiled unless the proof holds.
 */
export interface Regex {
  readonly source: string;
  /** What runs `find` and `test`. With "native" it runs `matches` as well; with "linear" it still may. */
  readonly engine: "native" | "linear";
  /** What every match begins with, when the pattern begins with `^` and text, and has no flag `i` or `m`; else "". */
  readonly literalPrefix: string;
  /** Whether some part of `text` matches. */
  test(text: string): boolean;
  /** Whether the whole of `text` matches. */
  matches(text: string): boolean;
  /** The leftmost match at or after `from`, as JavaScript's own `exec` would give it; null when there is none. */
  find(text: string, from: number): RegexMatch | null;
}

interface RegexMatch {
  readonly index: number;
  /** The whole match, then each group; undefined for a group that took no part. */
  readonly groups: readonly [string, ...(string | undefined)[]];
}

export type RegexResult =
  | { readonly ok: true; readonly regex: Regex }
  | { readonly ok: false; readonly message: string };

type Search = Pick<Regex, "engine" | "test" | "find">;
type Matches = Regex["matches"];

/** JavaScript's letters for what RE2 can do; `g` is accepted and means nothing here. */
const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
  g: 0,
};

/** Without what browsers tolerate: `\z` or `\pL` would be letters to JavaScript, and are not to RE2. */
const PARSER = new RegExpParser({ ecmaVersion: 2023, strict: true });

/** A longer pattern would hardly be proven, and might be nested too deep to be parsed. */
const MAX_PARSED_CHARS = 1_000;

/** Compiles `pattern`, in JavaScript's syntax as far as RE2 has it, with `flags` out of `i`, `m`, `s` and `g`. */
export function compileRegex(pattern: string, flags = ""): RegexResult {
  let flagBits = 0;
  for (const flag of flags) {
    const bit = FLAGS[flag];
    if (bit === undefined) return { ok: false, message: `unknown flag "${flag}"` };
    flagBits |= bit;
  }
  const parsed = parse(pattern);
  const own = [...new Set(flags)].filter((flag) => flag !== "g").join("");
  let search = parsed && searchesInLinearTime(parsed, own) ? nativeSearch(pattern, own) : undefined;
  let matches = parsed && matchesInLinearTime(parsed, own) ? nativeMatches(pattern, own) : undefined;
  if (search === undefined || matches === undefined) {
    try {
      const compiled = RE2JS.compile(RE2JS.translateRegExp(pattern), flagBits);
      search ??= linearSearch(compiled);
      matches ??= (text) => compiled.testExact(text);
    } catch (error: unknown) {
      return { ok: false, message: explain(pattern, error) };
    }
  }
  const literalPrefix = parsed === undefined ? "" : literalPrefixOf(parsed, own);
  return { ok: true, regex: { source: pattern, literalPrefix, ...search, matches } };
}

/** A pattern that means the same to JavaScript and to RE2, as far as RE2 has it; undefined for all others. */
function parse(pattern: string): AST.Pattern | undefined {
  // Classes by name, and characters of two code units: RE2 has both, JavaScript has neither without the flag `u`.
  if (pattern.length > MAX_PARSED_CHARS || /\[:|[\ud800-\udfff]/.test(pattern)) return undefined;
  try {
    return PARSER.parsePattern(pattern);
  } catch (error: unknown) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function nativeSearch(source: string, flags: string): Search {
  const tester = new RegExp(source, flags);
  const finder = new RegExp(source, `g${flags}`);
  return {
    engine: "native",
    test: (text) => tester.test(text),
    find(text, from) {
      finder.lastIndex = from;
      const match = finder.exec(text);
      return match === null ? null : { index: match.index, groups: match as unknown as RegexMatch["groups"] };
    },
  };
}

function nativeMatches(source: string, flags: string): Matches {
  if (!flags.includes("m")) {
    const whole = new RegExp(`^(?:${source})$`, flags);
    return (text) => whole.test(text);
  }
  // With m, `^` and `$` are those of a line.
  const whole = new RegExp(`(?:${source})(?![^])`, `y${flags}`);
  return (text) => {
    whole.lastIndex = 0;
    return whole.test(text);
  };
}

function linearSearch(compiled: RE2JS): Search {
  return {
    engine: "linear",
    test: (text) => compiled.test(text),
    find(text, from) {
      if (from > text.length) return null;
      const matcher = compiled.matcher(text);
      if (!matcher.find(from)) return null;
      const groups: [string, ...(string | undefined)[]] = [matcher.group(0) as string];
      for (let group = 1; group <= matcher.groupCount(); group++)
        groups.push(matcher.group(group) ?? undefined);
      return { index: matcher.start(0), groups };
    },
  };
}

/** What RE2 says, or, where its words would puzzle someone who knows JavaScript's patterns, why it cannot. */
function explain(pattern: string, error: unknown): string {
  const message =
    error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
  const only = "are supported only where matching provably takes linear time";
  if (/\(\?<?[=!]/.test(pattern)) return `lookahead and lookbehind ${only}`;
  if (/invalid escape sequence: `\\([1-9]|k)/.test(message)) return `backreferences ${only}`;
  return message;
}
