// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ByteWriter } from "./byte-writer.ts";
import { CODE_BITS, CODES } from "./huffman-code.ts";

/**
 * Size of the encoded text in bytes.
 *
 * @throws RangeError for a character that is no byte.
 */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) throw new RangeError("a header field has a character that is no byte");
    bits += CODE_BITS[code] as number;
  }
  return (bits + 7) >> 3;
}

/** Appends the encoded text (RFC 7541, section 5.2), for which there is room. */
export function encodeHuffman(text: string, target: ByteWriter): void {
  const { bytes } = target;
  let at = target.length;
  let bits = 0;
  let count = 0;
  for (let index = 0; index < text.length; index++) {
    const symbol = text.charCodeAt(index);
    const length = CODE_BITS[symbol] as number;
    const code = CODES[symbol] as number;
    if (length > 24) {
      // With up to 7 bits that wait, a long code does not fit into 31 bits: its first bits are written before the others.
      bits = (bits << (length - 16)) | (code >>> 16);
      count += length - 16;
      while (count >= 8) bytes[at++] = bits >>> (count -= 8);
      bits = (bits << 16) | (code & 0xffff);
      count += 16;
    } else {
      bits = (bits << length) | code;
      count += length;
    }
    while (count >= 8) bytes[at++] = bits >>> (count -= 8);
  }
  // The padding is the beginning of EOS: ones.
  if (count > 0) bytes[at++] = (bits << (8 - count)) | (0xff >> count);
  target.length = at;
}
