// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { RE2JS } from "re2js";

/**
 * Regular expressions that users write: matched by automata (RE2) in time linear in the text, so that no pattern can
 * stall the loop on any input. The price is RE2's: no backreferences and no lookaround, refused when compiled.
 */
export interface Regex {
  readonly source: string;
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

/** JavaScript's letters for what RE2 can do; `g` is accepted and means nothing here. */
const FLAGS: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
  g: 0,
};

/** Compiles `pattern`, in JavaScript's syntax as far as RE2 has it, with `flags` out of `i`, `m`, `s` and `g`. */
export function compileRegex(pattern: string, flags = ""): RegexResult {
  let flagBits = 0;
  for (const flag of flags) {
    const bit = FLAGS[flag];
    if (bit === undefined) return { ok: false, message: `unknown flag "${flag}"` };
    flagBits |= bit;
  }
  try {
    return { ok: true, regex: wrap(pattern, RE2JS.compile(RE2JS.translateRegExp(pattern), flagBits)) };
  } catch (error: unknown) {
    return { ok: false, message: explain(pattern, error) };
  }
}

function wrap(source: string, compiled: RE2JS): Regex {
  return {
    source,
    test: (text) => compiled.test(text),
    matches: (text) => compiled.testExact(text),
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
  if (/\(\?<?[=!]/.test(pattern))
    return "lookahead and lookbehind are not supported, as matching takes linear time";
  if (/invalid escape sequence: `\\([1-9]|k)/.test(message))
    return "backreferences are not supported, as matching takes linear time";
  return message;
}
