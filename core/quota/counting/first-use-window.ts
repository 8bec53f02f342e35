// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import type { QuotaGrant } from "../quota.ts";
import { fittingAmount, neverAfterMs } from "./fitting-amount.ts";

/**
 * A fixed window that begins with the first charge of its count, so that the counts of many keys do not all
 * start anew at the same moment. The next window begins with the first charge after the window's end, or after
 * everything was given back. Two bursts may meet at a window's end: twice the limit in a short time, but never
 * more than the limit within a window.
 */
export interface FirstUseWindowState {
  /** Beginning of the window. */
  startMs: number;
  used: number;
  /**
   * The window's first charge as a time that a clock change does not move; the `slot` of grants. It is never
   * ahead of the clock: otherwise a later window, counted after this state was dropped, could have the same.
   */
  epoch: number;
}

export const firstUseWindow: QuotaCounter<FirstUseWindowState> = {
  create: () => ({ startMs: 0, used: 0, epoch: 0 }),
  copy: ({ startMs, used, epoch }) => ({ startMs, used, epoch }),

  charge(state: FirstUseWindowState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    if (nowMs >= state.startMs + windowMs) state.used = 0;
    // The clock went back by more than a window: the count moves to a window that begins now.
    else if (state.startMs > nowMs + windowMs) state.startMs = nowMs;
    const endsInMs = state.used > 0 ? state.startMs + windowMs - nowMs : windowMs;
    let granted: number;
    if (amount < 0) granted = demand.slot === state.epoch ? 0 - Math.min(-amount, state.used) : 0;
    else {
      granted = fittingAmount(demand, Math.max(0, limit - state.used));
      if (granted > 0 && state.used === 0) {
        state.startMs = nowMs;
        state.epoch = Math.max(nowMs, state.epoch);
      }
    }
    state.used += granted;
    return {
      granted,
      remaining: Math.max(0, limit - state.used),
      resetMs: state.used > 0 ? endsInMs : 0,
      retryAfterMs: granted !== 0 || amount <= 0 ? 0 : neverAfterMs(demand) || endsInMs,
      // The last millisecond of the window is the last in which the amount counts here.
      validForMs: granted > 0 ? Math.min(demand.leaseMs, endsInMs - 1) : 0,
      slot: state.epoch,
    };
  },
};
