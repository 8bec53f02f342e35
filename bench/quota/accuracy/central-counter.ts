// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TimedAlgorithm, Traffic } from "./traffic.ts";

export interface Counting extends Pick<Traffic, "algorithm" | "limit" | "windowMs"> {
  /** Capacity of a token bucket; default `limit`, which it refills in a window. */
  readonly burst?: number;
}

/** Decides each request at its time, in milliseconds since the epoch; returns whether it is allowed. */
export type CentralCounter = (atMs: number) => boolean;

/**
 * The definition of each algorithm, as one counter that sees every request at once, without slots, leases or
 * whole milliseconds. It admits the most that its limit allows of requests in their order. It shares no
 * arithmetic with core/quota/counting.
 */
export function centralCounter({ algorithm, limit, windowMs, burst = limit }: Counting): CentralCounter {
  switch (algorithm) {
    case "fixed-window": {
      let [window, used] = [-1, 0];
      return (atMs) => {
        const current = Math.floor(atMs / windowMs);
        if (current !== window) [window, used] = [current, 0];
        return used < limit && ++used > 0;
      };
    }
    case "sliding-window":
    case "sliding-log": {
      const log: number[] = [];
      return (atMs) => {
        // The use before the last `limit` uses must be a whole window ago.
        const oldest = log[log.length - limit];
        if (oldest !== undefined && atMs - oldest < windowMs) return false;
        log.push(atMs);
        return true;
      };
    }
    case "token-bucket": {
      // Tokens times windowMs: exact for whole milliseconds.
      let [credit, sinceMs] = [burst * windowMs, 0];
      return (atMs) => {
        credit = Math.min(burst * windowMs, credit + (atMs - sinceMs) * limit);
        sinceMs = atMs;
        if (credit < windowMs) return false;
        credit -= windowMs;
        return true;
      };
    }
  }
}

/**
 * The largest amount by which uses exceed the promise of their algorithm; 0 when they keep it.
 *
 * @param usesMs The time of each use, ascending, in milliseconds since the epoch.
 */
export function overAdmitted({ algorithm, limit, windowMs }: Counting, usesMs: readonly number[]): number {
  let worst = 0;
  let first = 0;
  // For token-bucket: the most tokens, times windowMs, that any interval ending now has taken beyond its refill.
  let taken = 0;
  for (const [index, atMs] of usesMs.entries()) {
    if (algorithm === "token-bucket") {
      const sinceMs = atMs - (usesMs[index - 1] ?? atMs);
      taken = Math.max(0, taken - sinceMs * limit) + windowMs;
      // Sums of fractions of a millisecond are inexact: a millionth is no token.
      worst = Math.max(worst, Math.ceil(taken / windowMs - limit - 1e-6));
      continue;
    }
    while (!sharesLimit(algorithm, usesMs[first] as number, atMs, windowMs)) first++;
    worst = Math.max(worst, index - first + 1 - limit);
  }
  return worst;
}

/** Whether two uses may not exceed the limit together with all between them. */
function sharesLimit(
  algorithm: Exclude<TimedAlgorithm, "token-bucket">,
  fromMs: number,
  toMs: number,
  windowMs: number,
): boolean {
  return algorithm === "fixed-window"
    ? Math.floor(fromMs / windowMs) === Math.floor(toMs / windowMs)
    : toMs - fromMs < windowMs;
}
