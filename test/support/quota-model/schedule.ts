// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import type { CounterKind } from "../../../core/quota/counting/counter-kind.ts";
import { COUNTER_KINDS } from "../quota-countings.ts";

/** One demand of a caller on one of the schedule's counts. */
export interface ScheduledDemand {
  readonly kind: CounterKind;
  readonly cell: "a" | "b";
  readonly amount: number;
  readonly bestEffort: boolean;
  readonly leaseMs: number;
  /** Index into the schedule's limits: an override, or an edit of the limit. */
  readonly limit: number;
  /** The part of the grant that is used; the rest is given back. */
  readonly usedPart: number;
  /** The part of the lease after which it is used. */
  readonly usedAfterPart: number;
  /** Number of steps until the rest is given back. */
  readonly givesBackAfter: number;
  /** The holder crashes after its use, or its release is lost: the rest is never given back. */
  readonly crashes: boolean;
}

export interface ScheduledCall {
  readonly demands: readonly ScheduledDemand[];
  /** Whether the call also gives back amounts that are due, all or nothing with its demands. */
  readonly givesBackToo: boolean;
  /** Number of steps after which a retry with the same deduplication id arrives; 0 for none. */
  readonly repeatedAfter: number;
  /** The store decides, and the caller hears nothing until a retry; without one it never does. */
  readonly losesReply: boolean;
}

export interface ScheduledStep {
  readonly waitMs: number;
  /** Whether the step also waits for the time of the last refusal. */
  readonly waitsForRetry: boolean;
  /** Added to the host's wall clock, or to the server's clock where the schedule has clock changes. */
  readonly clockChangeMs: number;
  /** The calls that are decided at this moment, one after the other. */
  readonly calls: readonly ScheduledCall[];
}

export interface Schedule {
  readonly windowMs: number;
  readonly limits: readonly number[];
  readonly steps: readonly ScheduledStep[];
}

const DAY_MS = 86_400_000;

/** Random schedules of several callers around small limits and windows, where rounding shows. */
export function arbitrarySchedules(): fc.Arbitrary<Schedule> {
  const limit = fc.constantFrom(1, 2, 3, 7, 10, 100, 997);
  const windowMs = fc.constantFrom(1, 3, 7, 33, 100, 997, 1_000, 60_000);
  const kinds = fc.subarray([...COUNTER_KINDS], { minLength: 1, maxLength: 2 });
  return fc.tuple(limit, windowMs, kinds, fc.boolean()).chain(([most, length, of, edits]) =>
    fc.record({
      windowMs: fc.constant(length),
      limits: fc.constant(edits ? [most, Math.ceil(most / 3), most + 2] : [most, most, most]),
      steps: steps(most, length, of),
    }),
  );
}

function rarely(): fc.Arbitrary<boolean> {
  return fc.nat(7).map((drawn) => drawn === 7);
}

function steps(
  limit: number,
  windowMs: number,
  kinds: readonly CounterKind[],
): fc.Arbitrary<readonly ScheduledStep[]> {
  const upTo = (max: number) => fc.integer({ min: 0, max: Math.max(0, Math.floor(max)) });
  const part = fc.constantFrom(0, 0.3, 0.5, 1);
  const demand = fc.record({
    kind: fc.constantFrom(...kinds),
    cell: fc.constantFrom("a", "b"),
    amount: fc.oneof(fc.constant(1), upTo(limit / 3), upTo(limit + 1)),
    bestEffort: fc.boolean(),
    leaseMs: fc.oneof(fc.constant(0), upTo(windowMs / 10), upTo(windowMs * 2)),
    limit: fc.nat(2),
    usedPart: part,
    usedAfterPart: part,
    givesBackAfter: fc.nat(5),
    crashes: rarely(),
  });
  const call = fc.record({
    demands: fc.array(demand, { minLength: 1, maxLength: 2 }),
    givesBackToo: fc.boolean(),
    repeatedAfter: fc.constantFrom(0, 0, 1, 3),
    losesReply: rarely(),
  });
  const waitMs = fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 8, arbitrary: upTo(windowMs / 20) },
    { weight: 8, arbitrary: upTo(windowMs / 3) },
    { weight: 8, arbitrary: upTo(windowMs * 2) },
    { weight: 1, arbitrary: fc.constantFrom(DAY_MS, 29 * DAY_MS, 30 * DAY_MS) },
  );
  return fc.array(
    fc.record({
      waitMs,
      waitsForRetry: fc.boolean(),
      clockChangeMs: fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: -windowMs * 50, max: 0 })),
      calls: fc.array(call, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 25 },
  );
}
