// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import type { CounterKind } from "../../core/quota/counting/counter-kind.ts";

/**
 * A brute-force model of the quota guarantees: a log of every use, and a check of every window in it. Shares
 * no arithmetic with the code under test.
 */
export interface Use {
  readonly atMs: number;
  readonly amount: number;
}

/**
 * The first interval with more use than the counting allows, as a sentence; undefined when there is none.
 */
export function findExcess(
  kind: CounterKind,
  uses: readonly Use[],
  limit: number,
  windowMs: number,
): string | undefined {
  const sorted = [...uses].sort((a, b) => a.atMs - b.atMs);
  for (const [first, { atMs: fromMs }] of sorted.entries()) {
    let used = 0;
    for (const { atMs, amount } of sorted.slice(first)) {
      const allowed = allowedWithin(kind, fromMs, atMs, limit, windowMs);
      if (allowed === undefined) break;
      used += amount;
      if (used > allowed) return `${used} used from ${fromMs} to ${atMs}, where ${allowed} are allowed`;
    }
  }
  return undefined;
}

/** The amount that may be used between two moments, inclusive; undefined when they do not share a limit. */
function allowedWithin(
  kind: CounterKind,
  fromMs: number,
  toMs: number,
  limit: number,
  windowMs: number,
): number | undefined {
  switch (kind) {
    case "fixed-window":
    case "calendar-period":
      return Math.floor(fromMs / windowMs) === Math.floor(toMs / windowMs) ? limit : undefined;
    case "first-use-window":
      // The log does not tell when windows began: an interval of their length meets at most two of them.
      return toMs - fromMs < windowMs ? 2 * limit : undefined;
    case "sliding-window":
    case "sliding-log":
      return toMs - fromMs < windowMs ? limit : undefined;
    case "allocation":
      return limit;
    case "token-bucket":
      // Multiplying before dividing keeps the comparison in whole numbers.
      return Math.floor((limit * windowMs + limit * (toMs - fromMs)) / windowMs);
  }
}

/** One step of a simulated quota client. */
export interface Step {
  /** Wait before the step, in milliseconds. */
  readonly waitMs: number;
  /**
   * Whether the client also waits for the time in the last refusal, which is the boundary at which counts
   * change.
   */
  readonly waitsForRetry: boolean;
  readonly amount: number;
  readonly bestEffort: boolean;
  readonly leaseMs: number;
  /** The part of a grant that is used, and its time within the lease; the rest is returned afterwards. */
  readonly usedPart: number;
  readonly usedAfterPart: number;
  /** Number of steps until the rest is returned. */
  readonly givesBackAfter: number;
}

/** Random steps, as often in bursts as far apart, around a limit and a window. */
export function arbitrarySteps(limit: number, windowMs: number): fc.Arbitrary<readonly Step[]> {
  const upTo = (max: number) => fc.integer({ min: 0, max: Math.max(0, Math.floor(max)) });
  return fc.array(
    fc.record({
      waitMs: fc.oneof(fc.constant(0), upTo(windowMs / 20), upTo(windowMs / 3), upTo(windowMs * 2)),
      waitsForRetry: fc.boolean(),
      amount: fc.oneof(fc.constant(1), upTo(limit / 4), upTo(limit + 1)),
      bestEffort: fc.boolean(),
      leaseMs: fc.oneof(fc.constant(0), upTo(windowMs / 10), upTo(windowMs), upTo(windowMs * 2)),
      usedPart: fc.oneof(fc.constant(1), fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      usedAfterPart: fc.oneof(fc.constant(1), fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      givesBackAfter: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 6 })),
    }),
    { minLength: 1, maxLength: 40 },
  );
}

/** Limits and windows at which rounding errors show: tiny, prime, round. */
export const LIMIT_AND_WINDOW: fc.Arbitrary<{ readonly limit: number; readonly windowMs: number }> =
  fc.record({
    limit: fc.constantFrom(1, 2, 3, 7, 10, 100, 997, 1_000_000),
    windowMs: fc.constantFrom(1, 3, 7, 33, 100, 997, 1_000, 60_000),
  });
