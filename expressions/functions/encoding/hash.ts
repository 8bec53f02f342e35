// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { functionError } from "../error-codes.ts";
import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";
import { encodeUtf8 } from "../../../kernel/utf8.ts";

const MAX_BUCKETS = 2 ** 32;

/** MurmurHash3 by Austin Appleby, the 32-bit variant for x86, as an unsigned integer. Not for secrets. */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  let hash = seed;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    hash ^= scramble(wordAt(bytes, at, 4));
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= scramble(wordAt(bytes, whole, bytes.length - whole));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** `count` bytes as a little-endian integer. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let index = count - 1; index >= 0; index--) word = (word << 8) | (bytes[at + index] as number);
  return word;
}

function hash(text: string | undefined, buckets: number | undefined): number | undefined {
  if (buckets !== undefined && !(Number.isInteger(buckets) && buckets >= 1 && buckets <= MAX_BUCKETS))
    throw functionError("D4007", `${buckets} is no number of buckets: an integer from 1 to ${MAX_BUCKETS}`);
  if (text === undefined) return undefined;
  const hashed = murmur3(encodeUtf8(text));
  return buckets === undefined ? hashed : hashed % buckets;
}

export const HASH_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "hash",
    signature: "<sn?:n>",
    cost: perCharacter(0.5),
    implementation: hash,
    docs: {
      summary:
        "The 32-bit MurmurHash3 (x86, seed 0) of a text's UTF-8, from 0 to 4294967295; with `buckets`, its remainder, from 0 to buckets - 1. The same everywhere and for ever, so a user stays in one bucket. Not for secrets.",
      parameters: ["text", "buckets?"],
      examples: [
        { expression: '$hash("test")', result: 3127628307 },
        { expression: '$hash("user-42", 100) < 10', result: false },
      ],
    },
  },
];
