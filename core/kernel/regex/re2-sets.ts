// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CharSet, complement, contains, union } from "./char-set.ts";

/** Characters, which are code points to RE2. */
export interface Re2Set {
  /** Those up to U+FFFF. */
  readonly ranges: CharSet;
  /** Whether all others are in it: none alone is. As "units", their halves are listed instead. */
  readonly isWide: boolean | "units";
}

const SURROGATES: CharSet = [[0xd800, 0xdfff]];

/** RE2's `\s`: less than JavaScript's. */
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

/** Each two characters are the ends of a range. */
function ranges(ends: string): CharSet {
  return Array.from({ length: ends.length / 2 }, (_, index) => [
    ends.charCodeAt(2 * index),
    ends.charCodeAt(2 * index + 1),
  ]);
}

/** With the other cases of its letters, as RE2 folds them: k has the Kelvin sign, s the long s. Undefined beyond ASCII. */
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
    for (let unit = Math.max(first, 0x80); unit <= last; unit++) {
      const text = String.fromCharCode(unit);
      if (text.toLowerCase() !== text.toUpperCase()) return undefined;
    }
  return union(folded);
}

/** The set as JavaScript's source, without flags. */
export function setSource({ ranges: given, isWide }: Re2Set): string {
  const plain = complement(union([...complement(given), ...SURROGATES]));
  const listed = isWide === "units" ? union([...plain, ...SURROGATES]) : plain;
  const [only, ...more] = listed;
  if (only !== undefined && more.length === 0 && only[0] === only[1] && isWide === false)
    return unitSource(String.fromCharCode(only[0]));
  const source = `[${listed.map(([first, last]) => (first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`)).join("")}]`;
  return isWide === true ? `(?:${source}|[\\ud800-\\udbff][\\udc00-\\udfff])` : source;
}

/** A text as the source of a pattern that matches it. */
export function unitSource(text: string): string {
  return Array.from({ length: text.length }, (_, at) => escaped(text.charCodeAt(at))).join("");
}

function escaped(unit: number): string {
  const text = String.fromCharCode(unit);
  return /[0-9A-Za-z]/.test(text) ? text : `\\u${unit.toString(16).padStart(4, "0")}`;
}
