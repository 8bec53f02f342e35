// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createSequence, isSequence } from "../../runtime/sequence.ts";

/** A list of numbers, texts and truth values without repetitions; undefined for any other, and for a long one. */
export function distinctOf(items: readonly unknown[]): unknown[] | undefined {
  if (items.length <= 1) return items as unknown[];
  if (items.length > FEW) return undefined;
  const found: unknown[] = [];
  for (const item of items) {
    if (typeof item === "object" || typeof item === "function" || item === undefined) return undefined;
    if (found.indexOf(item) < 0) found.push(item);
  }
  return isSequence(items) ? createSequence(found) : found;
}

/** Up to so many, looking through all is faster than a set. */
const FEW = 32;
