// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeriodBounds } from "../../../core/quota/period/calendar.ts";

/** Periods of unequal lengths, as days around a change of the clock: three quarters to five quarters of usual. */

function startOf(index: number, usualMs: number): number {
  return index * usualMs + Math.floor(((index * 7) % 4) * (usualMs / 16));
}

/** The number of the period that contains a moment. */
export function periodIndex(nowMs: number, usualMs: number): number {
  let index = Math.floor(nowMs / usualMs) + 1;
  while (startOf(index, usualMs) > nowMs) index--;
  return index;
}

/** The periods around a moment. */
export function periodsAround(nowMs: number, usualMs: number): PeriodBounds {
  const index = periodIndex(nowMs, usualMs);
  return {
    rule: `about-${usualMs}`,
    previousPeriodStartMs: startOf(index - 1, usualMs),
    periodStartMs: startOf(index, usualMs),
    periodEndMs: startOf(index + 1, usualMs),
    nextPeriodEndMs: startOf(index + 2, usualMs),
  };
}
