// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CharSet, contains, LINE_ENDS, WORD } from "./char-set.ts";

/** Kinds of neighbour that assertions distinguish before or after a position. */
export const EDGE = 0;
export const LINE_END = 1;
export const WORD_CHAR = 2;
export const OTHER_CHAR = 3;
export const KINDS = [EDGE, LINE_END, WORD_CHAR, OTHER_CHAR] as const;

/**
 * The letters of a pattern: equivalence classes of code units that none of its sets tells apart, so that a
 * machine has a column per letter and not per code unit (65,536).
 */
export interface Alphabet {
  readonly size: number;
  letterOf(unit: number): number;
  /** LINE_END, WORD_CHAR or OTHER_CHAR; always OTHER_CHAR when the pattern has no assertions. */
  readonly kinds: Uint8Array;
  /** At index `set * size + letter`: 1 when the set has the letter. */
  readonly accepts: Uint8Array;
}

const ASCII_UNITS = 0x80;

/**
 * @param hasAssertions Whether the pattern has `^`, `$` or `\b`, which need line ends and word characters
 *   told apart.
 */
export function alphabetOf(sets: readonly CharSet[], hasAssertions: boolean): Alphabet {
  const telling = hasAssertions ? [...sets, WORD, LINE_ENDS] : sets;
  const starts = [
    ...new Set([0, ...telling.flatMap((set) => set.flatMap(([first, last]) => [first, last + 1]))]),
  ]
    .filter((start) => start <= 0xffff)
    .sort((a, b) => a - b);
  const letters = new Map<string, number>();
  const examples: number[] = [];
  const letterAt = starts.map((start) => {
    const signature = telling.map((set) => (contains(set, start) ? "1" : "0")).join("");
    const known = letters.get(signature);
    if (known !== undefined) return known;
    letters.set(signature, examples.length);
    return examples.push(start) - 1;
  });
  const search = (unit: number): number => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= unit) low = middle;
      else high = middle;
    }
    return letterAt[low] as number;
  };
  const ascii = Uint16Array.from({ length: ASCII_UNITS }, (_, unit) => search(unit));
  const size = examples.length;
  return {
    size,
    letterOf: (unit) => (unit < ASCII_UNITS ? (ascii[unit] as number) : search(unit)),
    kinds: Uint8Array.from(examples, (unit) => (hasAssertions ? kindOf(unit) : OTHER_CHAR)),
    accepts: Uint8Array.from({ length: sets.length * size }, (_, cell) =>
      contains(sets[Math.floor(cell / size)] as CharSet, examples[cell % size] as number) ? 1 : 0,
    ),
  };
}

function kindOf(unit: number): number {
  if (contains(LINE_ENDS, unit)) return LINE_END;
  return contains(WORD, unit) ? WORD_CHAR : OTHER_CHAR;
}
