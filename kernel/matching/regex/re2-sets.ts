// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CharSet, complementIn, contains, union } from "./char-set.ts";

/**
 * Ranges of code points, which are RE2's characters; both ends included, sorted, neither overlapping nor
 * adjacent.
 */
export type CodePoints = CharSet;

const LAST_CODE_POINT = 0x10ffff;
const FIRST_WIDE = 0x10000;
/** Surrogates, which are no characters. */
const HALVES: CharSet = [[0xd800, 0xdfff]];

/** RE2's `\s`, which has fewer characters than JavaScript's. */
export const RE2_SPACE: CharSet = ranges("\t\n\f\r  ");

export const POSIX_CLASSES: Readonly<Record<string, CharSet>> = {
  alnum: ranges("09AZaz"),
  alpha: ranges("AZaz"),
  ascii: ranges("\0\x7f"),
  blank: ranges("\t\t  "),
  cntrl: ranges("\0\x1f\x7f\x7f"),
  digit: ranges("09"),
  graph: ranges("!~"),
  lower: ranges("az"),
  print: ranges(" ~"),
  punct: ranges("!/:@[`{~"),
  space: ranges("\t\r  "),
  upper: ranges("AZ"),
  word: ranges("09AZaz__"),
  xdigit: ranges("09AFaf"),
};

/** Builds ranges from a text in which each two characters are the ends of a range. */
function ranges(ends: string): CharSet {
  return Array.from({ length: ends.length / 2 }, (_, index) => [
    ends.charCodeAt(2 * index),
    ends.charCodeAt(2 * index + 1),
  ]);
}

/** The complement, without surrogates. */
export function allBut(given: CodePoints): CodePoints {
  return complementIn(union([...given, ...HALVES]), LAST_CODE_POINT);
}

/**
 * Adds the other cases of letters as RE2 folds them: k gets the Kelvin sign, s the long s. undefined for
 * letters beyond ASCII.
 */
export function foldCase(given: CharSet): CharSet | undefined {
  const folded = [...given];
  for (let upper = 0x41; upper <= 0x5a; upper++)
    if (contains(given, upper) || contains(given, upper + 0x20))
      folded.push([upper, upper], [upper + 0x20, upper + 0x20]);
  for (const [ascii, other] of [
    [0x4b, 0x212a],
    [0x53, 0x17f],
  ] as const)
    if (contains(folded, ascii)) folded.push([other, other]);
  for (const [first, last] of given)
    for (let code = Math.max(first, 0x80); code <= last; code++) {
      const text = String.fromCodePoint(code);
      if (text.toLowerCase() !== text.toUpperCase()) return undefined;
    }
  return union(folded);
}

/** The set as JavaScript source without flags: characters beyond U+FFFF become surrogate pairs. */
export function setSource(given: CodePoints): string {
  const narrow: (readonly [number, number])[] = [];
  const pairs: string[] = [];
  for (const [first, last] of allBut(allBut(given))) {
    if (first < FIRST_WIDE) narrow.push([first, Math.min(last, FIRST_WIDE - 1)]);
    if (last >= FIRST_WIDE) pairs.push(...pairSources(Math.max(first, FIRST_WIDE), last));
  }
  if (pairs.length > 0) return `(?:${[classSource(narrow), ...pairs].join("|")})`;
  const [only, ...more] = narrow;
  return only !== undefined && more.length === 0 && only[0] === only[1]
    ? escaped(only[0])
    : classSource(narrow);
}

/**
 * The set as single code units, surrogates included, when it has every character beyond U+FFFF; otherwise
 * undefined.
 */
export function halvesSource(given: CodePoints): string | undefined {
  if (!given.some(([first, last]) => first <= FIRST_WIDE && last === LAST_CODE_POINT)) return undefined;
  return classSource(union([...given.filter(([first]) => first < FIRST_WIDE), ...HALVES]));
}

/** A range of characters beyond U+FFFF, as alternatives that begin with different high surrogates. */
function pairSources(first: number, last: number): readonly string[] {
  const [high, low] = halvesOf(first);
  const [lastHigh, lastLow] = halvesOf(last);
  if (high === lastHigh) return [classSource([[high, high]]) + classSource([[low, lastLow]])];
  const whole: CharSet = [[0xdc00, 0xdfff]];
  const sources = [classSource([[high, high]]) + classSource([[low, 0xdfff]])];
  if (high + 1 < lastHigh) sources.push(classSource([[high + 1, lastHigh - 1]]) + classSource(whole));
  return [...sources, classSource([[lastHigh, lastHigh]]) + classSource([[0xdc00, lastLow]])];
}

function halvesOf(code: number): readonly [high: number, low: number] {
  const text = String.fromCodePoint(code);
  return [text.charCodeAt(0), text.charCodeAt(1)];
}

function classSource(given: CharSet): string {
  return `[${given
    .map(([first, last]) =>
      first === last ? escaped(first) : `${escaped(first)}-${escaped(Math.min(last, 0xffff))}`,
    )
    .join("")}]`;
}

function escaped(unit: number): string {
  const text = String.fromCharCode(unit);
  return /[0-9A-Za-z]/.test(text) ? text : `\\u${unit.toString(16).padStart(4, "0")}`;
}
