// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import type { QuotaAlgorithm } from "../../core/quota/quota-definition.ts";

/**
 * What quotas promise, by brute force: a log of every use, and a check of every window in it. Shares nothing with the
 * arithmetic that it judges.
 */
export interface Use {
  readonly atMs: number;
  readonly amount: number;
}

/** The first interval in which more was used than the algorithm promises, as a sentence; undefined when there is none. */
export function findExcess(
  algorithm: QuotaAlgorithm,
  uses: readonly Use[],
  limit: number,
  windowMs: number,
): string | undefined {
  const sorted = [...uses].sort((a, b) => a.atMs - b.atMs);
  for (const [first, { atMs: fromMs }] of sorted.entries()) {
    let used = 0;
    for (const { atMs, amount } of sorted.slice(first)) {
      const allowed = allowedWithin(algorithm, fromMs, atMs, limit, windowMs);
      if (allowed === undefined) break;
      used += amount;
      if (used > allowed) return `${used} used from ${fromMs} to ${atMs}, where ${allowed} are allowed`;
    }
  }
  return undefined;
}

/** What may be used from one moment to another, both included; undefined when they do not share a limit. */
function allowedWithin(
  algorithm: QuotaAlgorithm,
  fromMs: number,
  toMs: number,
  limit: number,
  windowMs: number,
): number | undefined {
  switch (algorithm) {
    case "fixed-window":
      return Math.floor(fromMs / windowMs) === Math.floor(toMs / windowMs) ? limit : undefined;
    case "sliding-window":
      return toMs - fromMs < windowMs ? limit : undefined;
    case "token-bucket":
      // Multiplied out first, so that the comparison is between whole numbers.
      return Math.floor((limit * windowMs + limit * (toMs - fromMs)) / windowMs);
  }
}

/** One thing that an asker of quotas does. */
export interface Step {
  /** How long it waits first. */
  readonly waitMs: number;
  /** Whether it also waits for as long as the last refusal said: that is where counts turn. */
  readonly waitsForRetry: boolean;
  readonly amount: number;
  readonly bestEffort: boolean;
  readonly leaseMs: number;
  /** Of what is granted, the part that is used, and when within the lease; the rest is given back afterwards. */
  readonly usedPart: number;
  readonly usedAfterPart: number;
  /** How many steps later the rest is given back. */
  readonly givesBackAfter: number;
}

/** Steps that crowd together as often as they leave the count to rest, around a limit and a window. */
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

/** Limits and windows where rounding shows: tiny, prime, round. */
export const LIMIT_AND_WINDOW: fc.Arbitrary<{ readonly limit: number; readonly windowMs: number }> =
  fc.record({
    limit: fc.constantFrom(1, 2, 3, 7, 10, 100, 997, 1_000_000),
    windowMs: fc.constantFrom(1, 3, 7, 33, 100, 997, 1_000, 60_000),
  });
