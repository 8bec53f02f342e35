// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";

/** Draws ranks, from 0, with a share proportional to 1 / (rank + 1)^exponent. */
export interface Zipf {
  draw(): number;
  /** The share of a rank in all draws. */
  shareOf(rank: number): number;
}

/** @param keys Number of ranks; their sums take 8 bytes each. */
export function createZipf(keys: number, exponent: number, random: Random): Zipf {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let rank = 0; rank < keys; rank++) {
    sum += (rank + 1) ** -exponent;
    sums[rank] = sum;
  }
  return {
    draw() {
      const place = random() * sum;
      let [low, high] = [0, keys - 1];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((sums[middle] as number) > place) high = middle;
        else low = middle + 1;
      }
      return low;
    },
    shareOf: (rank) => (rank + 1) ** -exponent / sum,
  };
}
