// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { latin1At } from "../../http1/messages/latin1.ts";
import { decodeHuffman } from "./huffman-decoder.ts";

/** Longer strings are decoded each time. */
const MAX_KEPT_BYTES = 64;

/**
 * The strings that were decoded last, by their bytes on the wire. Most literals repeat, such as a request's path: a hit takes
 * a comparison of the bytes (20 ns for 16 bytes, where decoding takes 150), and returns the same string object. The cache is
 * direct-mapped and its bytes lie in one array: its memory is fixed, and random strings of an attacker only cost time.
 */
export class LiteralCache {
  readonly #mask: number;
  readonly #intern: (text: string) => string;
  readonly #bytes: Uint8Array;
  /** Length of each slot's bytes; plus 128 for a Huffman code. 0 for an empty slot. */
  readonly #keys: Uint8Array;
  readonly #texts: string[];

  /**
   * @param slots A power of 2.
   * @param intern Applied to each text that is kept.
   */
  constructor(slots: number, intern: (text: string) => string) {
    this.#mask = slots - 1;
    this.#intern = intern;
    this.#bytes = new Uint8Array(slots * MAX_KEPT_BYTES);
    this.#keys = new Uint8Array(slots);
    this.#texts = Array.from({ length: slots }, () => "");
  }

  /** Decodes the string of the given bytes. Returns undefined for a Huffman code that is not valid. */
  read(block: Buffer, start: number, end: number, isHuffman: boolean): string | undefined {
    const length = end - start;
    if (length === 0) return "";
    if (length > MAX_KEPT_BYTES) return decodeLiteral(block, start, end, isHuffman);
    const key = isHuffman ? length | 128 : length;
    const slot =
      (key * 61 +
        (block[start] as number) * 7 +
        (block[start + (length >> 1)] as number) * 131 +
        (block[end - 1] as number) * 31 +
        (block[start + ((length * 3) >> 2)] as number) * 17) &
      this.#mask;
    const bytes = this.#bytes;
    const base = slot * MAX_KEPT_BYTES;
    if (this.#keys[slot] === key) {
      let at = 0;
      while (at < length && bytes[base + at] === block[start + at]) at++;
      if (at === length) return this.#texts[slot];
    }
    const decoded = decodeLiteral(block, start, end, isHuffman);
    if (decoded === undefined) return undefined;
    const text = this.#intern(decoded);
    for (let at = 0; at < length; at++) bytes[base + at] = block[start + at] as number;
    this.#keys[slot] = key;
    this.#texts[slot] = text;
    return text;
  }
}

/** As `LiteralCache.read`, without a cache: for secrets, whose presence in it a client could time. */
export function decodeLiteral(
  block: Buffer,
  start: number,
  end: number,
  isHuffman: boolean,
): string | undefined {
  return isHuffman ? decodeHuffman(block, start, end) : latin1At(block, start, end);
}

/** A key of an object is an internalized string, which V8 compares by address. */
export function internalized(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}
