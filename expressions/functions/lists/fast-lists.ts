// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createSequence, isSequence } from "../../runtime/sequence.ts";

/** $distinct of a list of primitives; undefined for a list with other items, and for a list longer than FEW. */
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

/** Longest list for which indexOf is faster than a Set. */
const FEW = 32;
