// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter } from "../../core/quota/counting/counter.ts";
import type { CounterKind } from "../../core/quota/counting/counter-kind.ts";
import { QUOTA_COUNTERS } from "../../core/quota/counting/counters.ts";
import type { PeriodBounds } from "../../core/quota/period/calendar.ts";
import type { QuotaRequest } from "../../core/quota/quota.ts";
import type { QuotaCounting } from "../../core/quota/quota-definition.ts";

/** Every way of counting, for tests that all of them must pass. */

export const COUNTER_KINDS = Object.keys(QUOTA_COUNTERS) as readonly CounterKind[];

/** The kinds whose units are freed by time. */
export const WINDOW_KINDS: readonly CounterKind[] = COUNTER_KINDS.filter((kind) => kind !== "allocation");

/** Periods that begin at multiples of a length since the epoch, as if the calendar had them. */
export function boundsAt(nowMs: number, lengthMs: number): PeriodBounds {
  const periodStartMs = Math.floor(nowMs / lengthMs) * lengthMs;
  return {
    rule: `every-${lengthMs}`,
    previousPeriodStartMs: periodStartMs - lengthMs,
    periodStartMs,
    periodEndMs: periodStartMs + lengthMs,
    nextPeriodEndMs: periodStartMs + 2 * lengthMs,
  };
}

/** The fields of a request that select its way of counting. */
export type RequestSelector = Pick<QuotaRequest, "algorithm" | "windowMs" | "align" | "period">;

/** The fields of a request that is counted in that way. */
export function selectorOf(kind: CounterKind, windowMs: number, nowMs: number): RequestSelector {
  if (kind === "first-use-window") return { algorithm: "fixed-window", windowMs, align: "first-use" };
  if (kind === "calendar-period")
    return { algorithm: "fixed-window", windowMs, period: boundsAt(nowMs, windowMs) };
  return { algorithm: kind, windowMs: kind === "allocation" ? 0 : windowMs };
}

/** A counter whose demands need no bounds of periods. */
export function counterOf(kind: CounterKind): QuotaCounter<unknown> {
  const counter = QUOTA_COUNTERS[kind];
  if (kind !== "calendar-period") return counter;
  return {
    ...counter,
    charge: (state, demand, nowMs) =>
      counter.charge(state, { ...demand, period: boundsAt(nowMs, demand.windowMs) }, nowMs),
  };
}

/** Every way of counting as a QuotaPolicy has it, where calendar periods are a rule. */
export const POLICY_COUNTINGS: readonly QuotaCounting[] = [
  ...WINDOW_KINDS.filter((kind) => kind !== "first-use-window" && kind !== "calendar-period").map(
    (algorithm) => ({ algorithm: algorithm as QuotaCounting["algorithm"], windowMs: 60_000 }),
  ),
  { algorithm: "fixed-window", windowMs: 60_000, align: "first-use" },
  { algorithm: "fixed-window", windowMs: 60_000, period: { every: "day", timeZone: "Europe/Zurich" } },
  { algorithm: "fixed-window", windowMs: 60_000, period: { every: "day", timeZone: "Asia/Kolkata" } },
  { algorithm: "allocation", windowMs: 0 },
  // Counted as a sliding window: a window of its own tells the two apart.
  { algorithm: "concurrency", windowMs: 10_000 },
];
