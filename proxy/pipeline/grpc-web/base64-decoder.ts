// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const PADDING = 64;
const FORBIDDEN = 255;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The value of each character of the standard alphabet (RFC 4648, section 4). */
const VALUES = new Uint8Array(256).fill(FORBIDDEN);
for (const [value, char] of Buffer.from(ALPHABET, "latin1").entries()) VALUES[char] = value;
VALUES["=".charCodeAt(0)] = PADDING;

/** The bits of a group that its padding leaves without a meaning, by the number of padding characters. */
const UNUSED_BITS = [0, 0xff, 0xffff] as const;

/**
 * Decodes base64 chunk by chunk. Padding may end any group of four characters: gRPC-Web's senders encode each message, or each
 * part of one, by itself, and send the texts one after the other. Keeps three characters at most.
 */
export class Base64Decoder {
  /** The characters of the group under way, six bits each. */
  #bits = 0;
  #chars = 0;
  #padding = 0;

  /** Whether all characters so far are decoded. */
  get isComplete(): boolean {
    return this.#chars === 0;
  }

  /** @returns The bytes of the groups that the chunk completes; undefined for text that is not base64. */
  decode(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = new Uint8Array(Math.floor((this.#chars + chunk.byteLength) / 4) * 3);
    let length = 0;
    for (const char of chunk) {
      const value = VALUES[char] as number;
      if (value === FORBIDDEN || !this.#accepts(value)) return undefined;
      this.#bits = (this.#bits << 6) | (value & 63);
      if (++this.#chars < 4) continue;
      if ((this.#bits & (UNUSED_BITS[this.#padding] as number)) !== 0) return undefined;
      bytes[length] = this.#bits >> 16;
      bytes[length + 1] = this.#bits >> 8;
      bytes[length + 2] = this.#bits;
      length += 3 - this.#padding;
      this.#bits = this.#chars = this.#padding = 0;
    }
    return bytes.subarray(0, length);
  }

  /** Whether the character may stand at this place: in a group, only padding follows padding, and two characters precede it. */
  #accepts(value: number): boolean {
    if (value !== PADDING) return this.#padding === 0;
    this.#padding++;
    return this.#chars >= 2;
  }
}
