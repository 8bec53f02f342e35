// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AST } from "@eslint-community/regexpp";
import { caseGroups } from "./canonical.ts";

/** Ranges of UTF-16 code units, both ends included, sorted, neither overlapping nor adjacent. */
export type CharSet = readonly (readonly [first: number, last: number])[];

export type SetNode = AST.Character | AST.CharacterSet | AST.CharacterClass;

const LAST_UNIT = 0xffff;
const LAST_ASCII = 0x7f;

export const NO_CHAR: CharSet = [];
export const ANY_CHAR: CharSet = [[0, LAST_UNIT]];

export const DIGITS: CharSet = [[0x30, 0x39]];
/** Characters of `\w`, which `\b` uses too. */
export const WORD: CharSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMAScript's WhiteSpace and LineTerminator. */
const SPACE: CharSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
/** ECMAScript's LineTerminator. */
export const LINE_ENDS: CharSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

/** The code units that `node` matches without flag `u`; undefined for nodes that need flag `u`. */
export function charSetOf(node: SetNode, flags: string): CharSet | undefined {
  const ignoreCase = flags.includes("i");
  switch (node.type) {
    case "Character":
      return ignoreCase ? withOtherCase([[node.value, node.value]]) : [[node.value, node.value]];
    case "CharacterSet":
      if (node.kind === "any") return flags.includes("s") ? ANY_CHAR : complement(LINE_ENDS);
      return escapeSet(node);
    case "CharacterClass": {
      const parts = node.elements.map(elementSet);
      if (!parts.every((part) => part !== undefined)) return undefined;
      const listed = union(parts.flat());
      const set = ignoreCase ? withOtherCase(listed) : listed;
      return node.negate ? complement(set) : set;
    }
  }
}

export function contains(set: CharSet, unit: number): boolean {
  return set.some(([first, last]) => first <= unit && unit <= last);
}

function elementSet(element: AST.CharacterClassElement): CharSet | undefined {
  switch (element.type) {
    case "Character":
      return [[element.value, element.value]];
    case "CharacterClassRange":
      return [[element.min.value, element.max.value]];
    case "CharacterSet":
      return escapeSet(element);
    default:
      return undefined;
  }
}

function escapeSet(node: AST.EscapeCharacterSet | AST.UnicodePropertyCharacterSet): CharSet | undefined {
  if (node.kind === "property") return undefined;
  const set = { digit: DIGITS, space: SPACE, word: WORD }[node.kind];
  return node.negate ? complement(set) : set;
}

/** The set with every unit that flag `i` treats as equal to one of its units. */
function withOtherCase(set: CharSet): CharSet {
  const ranges = [...set];
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    const lower = upper + 0x20;
    if (contains(set, upper) || contains(set, lower)) ranges.push([upper, upper], [lower, lower]);
  }
  for (const [first, last] of set)
    for (let unit = Math.max(first, LAST_ASCII + 1); unit <= last; unit++)
      for (const other of caseGroups().get(unit) ?? []) ranges.push([other, other]);
  return union(ranges);
}

export function union(ranges: CharSet): CharSet {
  const merged: [number, number][] = [];
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function complement(set: CharSet): CharSet {
  return complementIn(set, LAST_UNIT);
}

/** The units from 0 to `end` that are not in the set. */
export function complementIn(set: CharSet, end: number): CharSet {
  const rest: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= end) rest.push([next, end]);
  return rest;
}
