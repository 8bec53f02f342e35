// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A hash of a text's UTF-16 code units, an integer from 0 to 2^53 − 1: two 32-bit lanes of FNV-1a with
 * different multipliers, mixed as in MurmurHash3. Fast, with a good spread, but not collision-resistant
 * against an attacker.
 *
 * @param seed The hash of a preceding text, to hash several texts as one; default 0.
 */
export function textHash(text: string, seed = 0): number {
  let low = 0x811c9dc5 ^ seed;
  let high = 0x41c6ce57 ^ (seed / 0x1_0000_0000);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x5f356495);
  }
  low = mix(low) ^ mix(high ^ text.length);
  high = mix(high) ^ mix(low);
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
}

function mix(lane: number): number {
  const once = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
