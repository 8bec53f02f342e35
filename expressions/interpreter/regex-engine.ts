// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Regex } from "../../kernel/matching/regex.ts";
import { tooLarge } from "../errors/too-large.ts";
import type { Guard } from "../runtime/guard.ts";
import { matchStart } from "../runtime/patterns/match-start.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";

/**
 * The part of RegExp that JSONata uses of its `RegexEngine`, in linear time: it makes one for each evaluation of a literal, sets
 * `lastIndex`, and calls `exec` until the matches end. All searches of one evaluation are charged to its guard: linear times
 * many is not linear.
 */
export function createRegexEngine(guard: Guard): RegExpConstructor {
  class LinearRegExp {
    lastIndex = 0;
    readonly #regex: Regex;
    #matches = 0;

    constructor(literal: RegExp) {
      const result = compileLiteral(literal);
      // Literals are checked when an expression is compiled.
      if (!result.ok) throw new SyntaxError(result.message);
      this.#regex = result.regex;
    }

    exec(given: unknown): (string[] & { index: number }) | null {
      const text = String(given);
      const start = matchStart(this.lastIndex);
      const match = start > text.length ? null : this.#regex.find(text, start, guard);
      if (match === null) {
        this.lastIndex = 0;
        return null;
      }
      if (++this.#matches > guard.maxSequence)
        throw tooLarge(`a regular expression matched more than ${guard.maxSequence} times`);
      this.lastIndex = match.index + match.groups[0].length;
      return Object.assign([...match.groups] as string[], { index: match.index });
    }
  }
  return LinearRegExp as unknown as RegExpConstructor;
}
