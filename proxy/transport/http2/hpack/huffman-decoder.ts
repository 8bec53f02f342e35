// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { latin1At } from "../../http1/messages/latin1.ts";
import { CODE_BITS, CODES, CODES_OF_LENGTH, EOS, MAX_CODE_BITS, SYMBOLS_IN_ORDER } from "./huffman-code.ts";

/** Bits by which a symbol is looked up at once: all letters, digits and frequent marks have at most 8. */
const FAST_BITS = 10;
const FAST_MASK = (1 << FAST_BITS) - 1;

/** By the next `FAST_BITS` bits: the symbol, times 16, plus its code's length; 0 for a longer code. */
const FAST = new Uint16Array(1 << FAST_BITS);
for (let symbol = 0; symbol < EOS; symbol++) {
  const bits = CODE_BITS[symbol] as number;
  if (bits > FAST_BITS) continue;
  const first = (CODES[symbol] as number) << (FAST_BITS - bits);
  FAST.fill((symbol << 4) | bits, first, first + (1 << (FAST_BITS - bits)));
}

/** The padding is shorter than a byte (RFC 7541, section 5.2). */
const MAX_PADDING_BITS = 7;

/** No code is shorter than 5 bits. */
const MAX_EXPANSION = 8 / 5;

/** Most literals decode into shared memory; it is read before anything else is decoded. */
const SCRATCH = Buffer.allocUnsafeSlow(8192);

/** Bit offset after the symbol that `longSymbol` returned. */
let nextBit = 0;

/**
 * Decodes a string (RFC 7541, section 5.2) in time linear in its length.
 *
 * @returns The text, one character per byte; undefined when the string has EOS or a padding that is too long or not of ones.
 */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const maxLength = Math.floor((end - start) * MAX_EXPANSION);
  const out = maxLength <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(maxLength);
  let length = 0;
  let at = start;
  /** Only the lowest `count` bits are still to be decoded. */
  let bits = 0;
  let count = 0;
  for (;;) {
    if (count < FAST_BITS) {
      if (at === end) break;
      bits = (bits << 8) | (bytes[at++] as number);
      count += 8;
      if (count < FAST_BITS) continue;
    }
    const entry = FAST[(bits >>> (count - FAST_BITS)) & FAST_MASK] as number;
    if (entry !== 0) {
      out[length++] = entry >> 4;
      count -= entry & 15;
      continue;
    }
    const symbol = longSymbol(bytes, at * 8 - count, end * 8);
    // Bits that begin no code within the string are padding that is too long.
    if (symbol < 0 || symbol === EOS) return undefined;
    out[length++] = symbol;
    at = (nextBit + 7) >> 3;
    count = at * 8 - nextBit;
    bits = bytes[at - 1] as number;
  }
  // Fewer than 10 bits are left: at most one symbol, and the padding.
  while (count > 0) {
    const entry = FAST[(bits << (FAST_BITS - count)) & FAST_MASK] as number;
    const used = entry & 15;
    if (entry === 0 || used > count) break;
    out[length++] = entry >> 4;
    count -= used;
  }
  const ones = (1 << count) - 1;
  if (count > MAX_PADDING_BITS || (bits & ones) !== ones) return undefined;
  return latin1At(out, 0, length);
}

/**
 * Decodes one symbol bit by bit, by the first code of each length. Sets `nextBit`.
 *
 * @returns -1 when the string ends within the code.
 */
function longSymbol(bytes: Buffer, firstBit: number, endBit: number): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    const bit = firstBit + length - 1;
    if (bit >= endBit) return -1;
    code |= ((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1;
    const codes = CODES_OF_LENGTH[length] as number;
    if (code - first < codes) {
      nextBit = bit + 1;
      return SYMBOLS_IN_ORDER[index + code - first] as number;
    }
    index += codes;
    first = (first + codes) << 1;
    code <<= 1;
  }
  return -1;
}
