// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRe2Search } from "./regex.ts";
import type { Meter } from "./regex/meter.ts";
import type { RegexMatch, Search } from "./regex/search.ts";

export type ReplacementResult =
  | { readonly ok: true; readonly replacement: Replacement }
  | { readonly ok: false; readonly part: "pattern" | "substitution"; readonly message: string };

/** A text, or the number of a group. */
type Piece = string | number;

/**
 * Compiles a replacement of every match of an RE2 pattern, as RE2's GlobalReplace makes it: in the substitution `\1` to
 * `\9` stand for groups, `\0` for the whole match, and `\\` for a backslash.
 */
export function compileReplacement(pattern: string, substitution: string): ReplacementResult {
  const result = compileRe2Search(pattern);
  if (!result.ok) return { ok: false, part: "pattern", message: result.message };
  const pieces: Piece[] = [];
  for (const [, text, escaped] of substitution.matchAll(/([^\\]+)|\\([^]?)/g)) {
    if (text !== undefined) pieces.push(text);
    else if (escaped === "\\") pieces.push("\\");
    else if (escaped === undefined || !/^\d$/.test(escaped))
      return fault("a backslash needs a digit or another backslash after it");
    else if (Number(escaped) > result.groupCount)
      return fault(`\\${escaped} has no group: the pattern has ${result.groupCount}`);
    else pieces.push(Number(escaped));
  }
  return { ok: true, replacement: new Replacement(result.regex, pieces) };
}

function fault(message: string): ReplacementResult {
  return { ok: false, part: "substitution", message };
}

/** A pattern with its substitution. */
export class Replacement {
  readonly #search: Search;
  readonly #pieces: readonly Piece[];

  constructor(search: Search, pieces: readonly Piece[]) {
    this.#search = search;
    this.#pieces = pieces;
  }

  /**
   * Replaces every match, from left to right. An empty match right after another match does not count.
   *
   * @param text Without surrogates.
   * @param meter Charged for the searches.
   * @returns undefined when the result would be longer than `maxChars`.
   */
  replaceAll(text: string, maxChars: number, meter?: Meter): string | undefined {
    let result = "";
    /** The end of the text that is in the result. */
    let done = 0;
    let lastEnd = -1;
    for (let from = 0; from <= text.length; ) {
      const match = this.#search.find(text, from, meter);
      if (match === null) break;
      const [whole] = match.groups;
      const end = match.index + whole.length;
      if (whole === "" && end === lastEnd) {
        from = end + 1;
        continue;
      }
      result += text.slice(done, match.index) + this.#substitute(match);
      if (result.length > maxChars) return undefined;
      done = lastEnd = end;
      from = whole === "" ? end + 1 : end;
    }
    return result.length + text.length - done > maxChars ? undefined : result + text.slice(done);
  }

  /** A group that took no part is empty. */
  #substitute({ groups }: RegexMatch): string {
    let text = "";
    for (const piece of this.#pieces) text += typeof piece === "string" ? piece : (groups[piece] ?? "");
    return text;
  }
}
