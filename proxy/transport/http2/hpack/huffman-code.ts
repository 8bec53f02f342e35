// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Length of each symbol's code in bits (RFC 7541, appendix B): the 256 bytes, then EOS. The code is canonical, so that the
 * lengths determine it: codes count upwards by length, then by symbol.
 */
// biome-ignore format: 16 symbols a line
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

export const EOS = 256;
export const MAX_CODE_BITS = 30;

/** Bits of the code of each symbol. */
export const CODE_BITS = Uint8Array.from(LENGTHS);

/** The code of each symbol, in its lowest bits. */
export const CODES = new Uint32Array(LENGTHS.length);

/** Symbols by length, then by value: the order of the codes. */
export const SYMBOLS_IN_ORDER = Uint16Array.from(
  LENGTHS.map((_, symbol) => symbol).sort((a, b) => bitsOf(a) - bitsOf(b) || a - b),
);

/** Number of codes of each length. */
export const CODES_OF_LENGTH = new Uint16Array(MAX_CODE_BITS + 1);

let next = 0;
let bitsBefore = 0;
for (const symbol of SYMBOLS_IN_ORDER) {
  const bits = bitsOf(symbol);
  next <<= bits - bitsBefore;
  bitsBefore = bits;
  CODES[symbol] = next++;
  CODES_OF_LENGTH[bits] = (CODES_OF_LENGTH[bits] as number) + 1;
}

function bitsOf(symbol: number): number {
  return LENGTHS[symbol] as number;
}
