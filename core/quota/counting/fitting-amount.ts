// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaDemand } from "./counter.ts";

/** How much of a demand (`amount` >= 0) is granted where `free` is to be had: all of it, or what there is, or nothing. */
export function fittingAmount(demand: QuotaDemand, free: number): number {
  if (demand.amount <= free) return demand.amount;
  return demand.bestEffort ? free : 0;
}

/** The least that makes a demand (`amount` > 0) a success. */
export function leastAmount(demand: QuotaDemand): number {
  return demand.bestEffort ? 1 : demand.amount;
}

/**
 * What `retryAfterMs` says of a demand that no waiting helps: the window, as nothing better is known. 0 for one that
 * waiting does help.
 */
export function neverAfterMs(demand: QuotaDemand): number {
  return leastAmount(demand) > demand.limit ? demand.windowMs : 0;
}
