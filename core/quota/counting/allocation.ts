// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import type { QuotaGrant } from "../quota.ts";
import { fittingAmount } from "./fitting-amount.ts";

/**
 * Units that stay taken until they are given back; no time frees them. A count that no request asks for is
 * forgotten after ALLOCATION_IDLE_MS: every key of a store in Redis must end, and both stores mean the same.
 */
export interface AllocationState {
  used: number;
  /** Time of the first grant since nothing was taken; the `slot` of grants. */
  epoch: number;
  /** Time of the last change, or of the last request more than a day after it. */
  touchedMs: number;
}

/** A count that no request has touched for so long is forgotten: 30 days. */
export const ALLOCATION_IDLE_MS = 30 * 86_400_000;

/** A request that changes nothing prolongs a count's life at most once in this time, to spare writes. */
export const ALLOCATION_TOUCH_MS = 86_400_000;

/** When a refused request may be retried. Nobody knows when something will be given back: a polling interval. */
export const ALLOCATION_RETRY_MS = 1_000;

export const allocation: QuotaCounter<AllocationState> = {
  create: () => ({ used: 0, epoch: 0, touchedMs: 0 }),
  copy: ({ used, epoch, touchedMs }) => ({ used, epoch, touchedMs }),

  charge(state: AllocationState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, amount } = demand;
    const idleMs = nowMs - state.touchedMs;
    if (idleMs >= ALLOCATION_IDLE_MS) state.used = 0;
    let granted: number;
    if (amount < 0) granted = demand.slot === state.epoch ? 0 - Math.min(-amount, state.used) : 0;
    else {
      granted = fittingAmount(demand, Math.max(0, limit - state.used));
      if (granted > 0 && state.used === 0) state.epoch = Math.max(nowMs, state.epoch);
    }
    state.used += granted;
    // A clock that went back must not prolong the life by more than the time it went back.
    if (granted !== 0 || (state.used > 0 && (idleMs >= ALLOCATION_TOUCH_MS || idleMs < 0)))
      state.touchedMs = nowMs;
    return {
      granted,
      remaining: Math.max(0, limit - state.used),
      resetMs: state.used > 0 ? state.touchedMs + ALLOCATION_IDLE_MS - nowMs : 0,
      retryAfterMs: granted !== 0 || amount <= 0 ? 0 : ALLOCATION_RETRY_MS,
      validForMs: granted > 0 ? demand.leaseMs : 0,
      slot: state.epoch,
    };
  },
};
