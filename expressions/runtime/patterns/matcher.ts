// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import type { Regex } from "../../../kernel/matching/regex.ts";
import { matchStart } from "./match-start.ts";
import { FunctionValue } from "../calls/callee.ts";
import type { Guard } from "../guard.ts";
import { isFunction } from "../calls/function-marks.ts";
import { chargeCoercion } from "../values.ts";

/** A match as a regular expression gives it, or a function in its place: its text, its range, and the search for the next. */
export interface Match {
  readonly match: string;
  readonly start: number;
  readonly end: number;
  readonly groups: readonly unknown[];
  readonly next: unknown;
}

/** A regular expression as the function that JSONata makes of it. */
export function createMatcher(guard: Guard, regex: Regex, position: number): FunctionValue {
  let lastIndex = 0;
  const matcher = (given: unknown, from?: unknown): Match | undefined => {
    chargeCoercion(guard, [given]);
    const text = textOf(given);
    const start = matchStart(from);
    guard.tick();
    const found = start > text.length ? null : regex.find(text, start, guard);
    lastIndex = found === null ? 0 : found.index + found.groups[0].length;
    if (found === null) return undefined;
    const [match, ...groups] = found.groups;
    const next = new FunctionValue(
      () => {
        // An array ends after as many characters of its text as it has items; what has no length ends with its matches.
        if (lastIndex >= Number((given as { readonly length?: unknown } | null | undefined)?.length))
          return undefined;
        const following = matcher(given, lastIndex);
        if (following?.match === "") throw matchesNothing(position);
        return following;
      },
      0,
      undefined,
    );
    return { match, start: found.index, end: lastIndex, groups, next };
  };
  return new PatternValue(matcher, { regex, position });
}

/** A regular expression as a function of the language. Its pattern is private: an expression sees no property of it. */
class PatternValue extends FunctionValue {
  readonly #pattern: Pattern;

  constructor(matcher: (given: unknown, from?: unknown) => unknown, pattern: Pattern) {
    super(matcher, 2, undefined);
    this.#pattern = pattern;
  }

  static patternOf(target: unknown): Pattern | undefined {
    return target instanceof PatternValue ? target.#pattern : undefined;
  }
}

/** The text that JavaScript makes of a value. A view of a request has no methods, and so is written here. */
function textOf(value: unknown): string {
  if (Array.isArray(value))
    return value.map((item) => (item === null || item === undefined ? "" : textOf(item))).join(",");
  return typeof value === "object" && value !== null ? "[object Object]" : String(value);
}

/** A regular expression, and where it stands. */
export interface Pattern {
  readonly regex: Regex;
  readonly position: number;
}

/** A regular expression's matches in `text`, `limit` at most, without a function for each. */
export function matchesOf(guard: Guard, pattern: Pattern, text: string, limit: number): readonly Match[] {
  const matches: Match[] = [];
  eachMatch(guard, pattern, text, limit, (match, start, groups) => {
    matches.push({ match, start, end: start + match.length, groups: groups.slice(1), next: undefined });
  });
  return matches;
}

/** Told of a match, where it begins, and the match and its groups. */
type Visit = (match: string, start: number, groups: readonly (string | undefined)[]) => void;

export function eachMatch(
  guard: Guard,
  { regex, position }: Pattern,
  text: string,
  limit: number,
  visit: Visit,
): void {
  // One match more than `limit` is looked for, as in the reference.
  for (let count = 0, from = 0; limit > 0; ) {
    const found = regex.find(text, from, guard);
    if (found === null) return;
    const match = found.groups[0];
    if (match === "" && count > 0) throw matchesNothing(position);
    if (count >= limit) return;
    from = found.index + match.length;
    visit(match, found.index, found.groups);
    guard.sequence(++count);
    if (from >= text.length) return;
  }
}

/** The regular expression behind a function, if there is one. */
export function regexBehind(target: unknown): Pattern | undefined {
  return PatternValue.patternOf(target);
}

function matchesNothing(position: number): ExpressionError {
  return new ExpressionError("D1004", "the regular expression matches a text of no length", { position });
}

/** The match that a function in place of a regular expression gave. @throws {ExpressionError} T1010 when it is no match. */
export function checkMatch(value: unknown): Match | undefined {
  if (value === undefined || value === null || value === false || value === 0 || value === "")
    return value as Match | undefined;
  const { start, end, groups, next } = value as Record<string, unknown>;
  if (typeof start === "number" || (end as unknown) === "number" || Array.isArray(groups) || isFunction(next))
    return value as Match;
  throw new ExpressionError("T1010", "a function in place of a regular expression gave no match");
}
