// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaDemand } from "./counter.ts";

/**
 * The granted part of a demand (`amount` >= 0) when `free` is available: all of it, the available part, or
 * nothing.
 */
export function fittingAmount(demand: QuotaDemand, free: number): number {
  if (demand.amount <= free) return demand.amount;
  return demand.bestEffort ? free : 0;
}

/** The least amount that satisfies a demand (`amount` > 0). */
export function leastAmount(demand: QuotaDemand): number {
  return demand.bestEffort ? 1 : demand.amount;
}

/**
 * `retryAfterMs` of a demand that can never be satisfied: the window, for lack of a better value. 0 for other
 * demands.
 */
export function neverAfterMs(demand: QuotaDemand): number {
  return leastAmount(demand) > demand.limit ? demand.windowMs : 0;
}
