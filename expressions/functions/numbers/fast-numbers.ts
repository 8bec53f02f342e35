// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { FAST_LENGTH } from "../fast-path.ts";

const DECIMAL = /^-?[0-9]+(?:\.[0-9]+)?(?:[Ee][-+]?[0-9]+)?$/;

/** $number of a decimal text; undefined for any other text. */
export function numberOf(text: string): number | undefined {
  if (text.length > FAST_LENGTH) return undefined;
  const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** $sum of a list of numbers; undefined for any other list. */
export function sumOf(items: readonly unknown[]): number | undefined {
  if (items.length > FAST_LENGTH) return undefined;
  let sum = 0;
  for (const item of items) {
    if (typeof item !== "number") return undefined;
    sum += item;
  }
  return sum;
}
