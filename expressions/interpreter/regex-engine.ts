// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Regex } from "../../kernel/matching/regex.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";
import { matchStart } from "../runtime/match-start.ts";
import type { Meter } from "../../kernel/matching/regex/meter.ts";
import { tooLarge } from "../errors/too-large.ts";
import type { ExpressionLimits } from "./limits.ts";

/**
 * The part of RegExp that JSONata uses of its `RegexEngine` option, on linear time: it makes one for each evaluation
 * of a literal, sets `lastIndex`, and calls `exec` until the matches end.
 */
export function createRegexEngine(
  limits: Pick<ExpressionLimits, "items" | "weight">,
  meter?: Meter,
): RegExpConstructor {
  class LinearRegExp {
    lastIndex = 0;
    readonly #regex: Regex;
    /** All searches of one evaluation share one budget: linear times many is not linear. */
    readonly #meter: Meter;
    #matches = 0;

    constructor(literal: RegExp) {
      const result = compileLiteral(literal);
      // Literals are checked when an expression is compiled.
      if (!result.ok) throw new SyntaxError(result.message);
      this.#regex = result.regex;
      let budget = limits.weight;
      this.#meter = meter ?? {
        tick(steps) {
          budget -= steps;
          if (budget < 0) throw tooLarge(`a regular expression took more than ${limits.weight} steps`);
        },
      };
    }

    exec(given: unknown): (string[] & { index: number }) | null {
      const text = String(given);
      const start = matchStart(this.lastIndex);
      const match = start > text.length ? null : this.#regex.find(text, start, this.#meter);
      if (match === null) {
        this.lastIndex = 0;
        return null;
      }
      if (++this.#matches > limits.items)
        throw tooLarge(`a regular expression matched more than ${limits.items} times`);
      this.lastIndex = match.index + match.groups[0].length;
      return Object.assign([...match.groups] as string[], { index: match.index });
    }
  }
  return LinearRegExp as unknown as RegExpConstructor;
}
