// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import type { Picker } from "./picker.ts";

/** Weighted random choice. */
export function createRandomPicker<C>(
  candidates: readonly C[],
  weights: readonly number[],
  random: Random,
): Picker<C> {
  let sum = 0;
  const upTo = weights.map((weight) => (sum += weight));
  return {
    pick() {
      const ticket = random() * sum;
      let low = 0;
      let high = candidates.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((upTo[middle] as number) > ticket) high = middle;
        else low = middle + 1;
      }
      return candidates[low];
    },
  };
}
