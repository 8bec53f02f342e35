// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeriodBounds } from "../period/calendar.ts";
import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import type { QuotaGrant } from "../quota.ts";
import { fittingAmount, neverAfterMs } from "./fitting-amount.ts";

/**
 * A budget for calendar periods: the count is of the current period, and starts at 0 with the next one. The
 * caller knows the calendar and tells the bounds of the periods around its time; the store's clock decides
 * which of the periods is current. Two bursts may meet at a boundary, as with every fixed window.
 */
export interface CalendarPeriodState {
  /** The period's first instant; also the `slot` of grants. */
  startMs: number;
  /** The next period's first instant. */
  endMs: number;
  used: number;
}

export const calendarPeriod: QuotaCounter<CalendarPeriodState> = {
  create: () => ({ startMs: 0, endMs: 0, used: 0 }),
  copy: ({ startMs, endMs, used }) => ({ startMs, endMs, used }),

  charge(state: CalendarPeriodState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, amount } = demand;
    const withinMs = enterPeriod(state, demand.period as PeriodBounds, nowMs);
    const endsInMs = state.endMs - withinMs;
    let granted: number;
    if (amount < 0) granted = demand.slot === state.startMs ? 0 - Math.min(-amount, state.used) : 0;
    else granted = fittingAmount(demand, Math.max(0, limit - state.used));
    state.used += granted;
    return {
      granted,
      remaining: Math.max(0, limit - state.used),
      resetMs: state.used > 0 ? endsInMs : 0,
      retryAfterMs: granted !== 0 || amount <= 0 ? 0 : neverAfterMs(demand) || endsInMs,
      // The last millisecond of the period is the last in which the amount counts here.
      validForMs: granted > 0 ? Math.min(demand.leaseMs, endsInMs - 1) : 0,
      slot: state.startMs,
    };
  },
};

/**
 * Enters the current period; returns the time at which the demand counts. When the store's clock is more than
 * a period away from the caller's, that is the beginning of the nearest period that the caller told of. When
 * the clock went back over a boundary, the later period stays current until it is over, because its count must
 * not be lost; when the clock went back farther, the count moves to the current period.
 */
function enterPeriod(state: CalendarPeriodState, bounds: PeriodBounds, nowMs: number): number {
  const { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs } = bounds;
  let startMs = periodStartMs;
  let endMs = periodEndMs;
  if (nowMs < periodStartMs) {
    startMs = previousPeriodStartMs;
    endMs = periodStartMs;
  } else if (nowMs >= periodEndMs) {
    startMs = periodEndMs;
    endMs = nextPeriodEndMs;
  }
  if (startMs >= state.endMs) {
    state.startMs = startMs;
    state.endMs = endMs;
    state.used = 0;
  } else if (state.startMs > endMs) {
    state.startMs = startMs;
    state.endMs = endMs;
  }
  return nowMs >= startMs && nowMs < endMs ? nowMs : startMs;
}
