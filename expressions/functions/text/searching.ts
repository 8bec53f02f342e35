// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "../../errors/expression-error.ts";
import { located } from "../../runtime/calls/call-errors.ts";
import type { CallSite } from "../../runtime/calls/call-sites.ts";
import { applyFunction } from "../../runtime/calls/calls.ts";
import type { Guard } from "../../runtime/guard.ts";
import {
  checkMatch,
  eachMatch,
  type Match,
  matchesOf,
  type Pattern,
  regexBehind,
} from "../../runtime/patterns/matcher.ts";
import { indexIn, splitBy } from "../../runtime/patterns/search.ts";
import { chargeCoercion } from "../../runtime/values.ts";
import { createSequence } from "../../runtime/sequence.ts";

type Values = readonly unknown[];

export function contains(guard: Guard, [text, pattern]: Values): unknown {
  if (text === undefined || pattern === undefined) return undefined;
  if (typeof pattern === "string" && typeof text === "string") return indexIn(guard, text, pattern) >= 0;
  return firstMatch(guard, pattern, text) !== undefined;
}

export function match(guard: Guard, [text, pattern, limit]: Values): unknown {
  if (text === undefined) return undefined;
  chargeCoercion(guard, [limit]);
  checkLimit(limit, "D3040", "$match");
  const result = createSequence();
  for (const { match: found, start, groups } of matches(guard, pattern, text, limit))
    result.push({ match: found, index: start, groups });
  return result;
}

export function split(guard: Guard, [given, separator, limit]: Values): unknown {
  if (given === undefined) return undefined;
  chargeCoercion(guard, [limit]);
  checkLimit(limit, "D3020", "$split");
  if (limit !== undefined && !((limit as number) > 0)) return [];
  const text = given as string;
  if (typeof separator === "string") {
    return splitBy(guard, text, separator, limit as number | undefined);
  }
  const parts: string[] = [];
  let start = 0;
  const all = [...matches(guard, separator, text, limit)];
  if (all.length === 0) return [given];
  for (const found of all) {
    parts.push(text.substring(start, found.start));
    start = found.end;
  }
  if (limit === undefined || parts.length < (limit as number)) parts.push(text.substring(start));
  return parts;
}

export function replace(guard: Guard, [given, pattern, replacement, limit]: Values): unknown {
  if (given === undefined) return undefined;
  if (pattern === "") throw new ExpressionError("D3010", "$replace cannot look for an empty text");
  chargeCoercion(guard, [replacement, limit]);
  checkLimit(limit, "D3011", "$replace");
  const text = given as string;
  if (limit !== undefined && !((limit as number) > 0)) return text;
  let result: string | undefined;
  let position = 0;
  const add = (until: number, inserted: string, next: number): void => {
    result = (result ?? "") + text.substring(position, until) + inserted;
    guard.text(result.length);
    guard.chars(inserted.length);
    position = next;
  };
  if (typeof pattern === "string") {
    for (let count = 0; limit === undefined || count < (limit as number); count++) {
      guard.tick();
      const index = indexIn(guard, text, pattern, position);
      if (index < 0) break;
      add(index, String(replacement), index + pattern.length);
    }
  } else {
    // The function is called before the next search, since both can fail and the first failure is reported.
    const all = (typeof replacement === "string" ? matches : matchesOfFunction)(guard, pattern, text, limit);
    for (const found of all) {
      if (typeof replacement === "string") guard.chars(replacement.length);
      const inserted =
        typeof replacement === "string"
          ? substitute(replacement, found.match, [found.match, ...found.groups])
          : applyFunction(guard, replacement, [found], null);
      if (typeof inserted !== "string")
        throw new ExpressionError("D3012", "the function given to $replace must give a string");
      add(found.start, inserted, found.start + found.match.length);
    }
  }
  return result === undefined ? text : result + text.substring(position);
}

/** `$match` with a pattern literal. */
export function matchPattern(guard: Guard, text: string, pattern: Pattern, site: CallSite): unknown {
  try {
    const result = createSequence();
    eachMatch(guard, pattern, text, Infinity, (found, index, groups) => {
      result.push({ match: found, index, groups: groups.slice(1) });
    });
    return result;
  } catch (error: unknown) {
    throw located(error, site);
  }
}

/** `$replace` of the matches of a pattern literal by a text. */
export function replacePattern(
  guard: Guard,
  text: string,
  pattern: Pattern,
  replacement: string,
  site: CallSite,
): string {
  try {
    let result = "";
    let position = 0;
    eachMatch(guard, pattern, text, Infinity, (found, start, groups) => {
      guard.chars(replacement.length);
      result += text.substring(position, start) + substitute(replacement, found, groups);
      guard.text(result.length);
      position = start + found.length;
    });
    return position === 0 && result === "" ? text : result + text.substring(position);
  } catch (error: unknown) {
    throw located(error, site);
  }
}

/** The matches one after another, each searched for when the iterator asks for it. */
function matches(guard: Guard, pattern: unknown, text: unknown, limit: unknown): Iterable<Match> {
  const behind = regexBehind(pattern);
  if (behind === undefined || typeof text !== "string") return matchesOfFunction(guard, pattern, text, limit);
  return matchesOf(guard, behind, text, limit === undefined ? Infinity : (limit as number));
}

function* matchesOfFunction(guard: Guard, pattern: unknown, text: unknown, limit: unknown): Generator<Match> {
  if (limit !== undefined && !((limit as number) > 0)) return;
  let found = firstMatch(guard, pattern, text);
  for (let count = 0; found !== undefined && (limit === undefined || count < (limit as number)); count++) {
    guard.sequence(count + 1);
    yield found;
    found = checkMatch(applyFunction(guard, found.next, [undefined], null));
  }
}

function firstMatch(guard: Guard, pattern: unknown, text: unknown): Match | undefined {
  return checkMatch(applyFunction(guard, pattern, [text], null));
}

function checkLimit(limit: unknown, code: string, name: string): void {
  if ((limit as number) < 0) throw new ExpressionError(code, `the limit of ${name} is negative`);
}

/** `groups`: the match and its groups. `$0` is the match, `$n` a group with as many digits as there are groups for, `$$` a dollar. */
function substitute(template: string, found: string, groups: readonly unknown[]): string {
  if (!template.includes("$")) return template;
  let text = "";
  for (let at = 0; at < template.length; at++) {
    const next = template[at + 1];
    if (template[at] !== "$") text += template[at];
    else if (next === "$") {
      text += "$";
      at++;
    } else if (next === "0") {
      text += found;
      at++;
    } else {
      const number = groupNumber(template.slice(at + 1), groups.length - 1);
      if (number === undefined) text += "$";
      else {
        const group = groups[number];
        if (group !== undefined) text += group as string;
        at += String(number).length;
      }
    }
  }
  return text;
}

function groupNumber(text: string, groupCount: number): number | undefined {
  const digits = groupCount === 0 ? 1 : Math.floor(Math.log(groupCount) * Math.LOG10E) + 1;
  let number = Number.parseInt(text.slice(0, digits), 10);
  if (digits > 1 && number > groupCount) number = Number.parseInt(text.slice(0, digits - 1), 10);
  return Number.isNaN(number) ? undefined : number;
}
