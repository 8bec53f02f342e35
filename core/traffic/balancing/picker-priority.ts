// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import type { Picker } from "./picker.ts";
import { createRandomPicker } from "./picker-random.ts";

/** A priority with its share of requests, above 0. */
export interface PriorityPart<C> {
  readonly share: number;
  readonly picker: Picker<C>;
}

/** Resolution of a share when a hash decides, as a number of equal parts. */
const PARTS = 2 ** 20;

/**
 * Gives each request a priority by the shares: at random, or by the request's hash, so that requests with the
 * same hash stay together.
 */
export function createPriorityPicker<C>(parts: readonly PriorityPart<C>[], random: Random): Picker<C> {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first.picker;
  // The low bits of the hash: a ring looks at the high ones, so the two choices are independent.
  let chance = 0;
  const byChance = createRandomPicker(
    parts,
    parts.map(({ share }) => share),
    () => chance,
  );
  return {
    pick(hash, attempt) {
      chance = hash === undefined ? random() : (hash % PARTS) / PARTS;
      return byChance.pick()?.picker.pick(hash, attempt);
    },
  };
}
