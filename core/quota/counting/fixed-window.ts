// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import type { QuotaGrant } from "../quota.ts";
import { fittingAmount, neverAfterMs } from "./fitting-amount.ts";

/**
 * Fixed windows, aligned to multiples of `windowMs` since the epoch, so that all nodes agree on them: the
 * cheapest algorithm, and one that users can predict ("100 a day"). Two bursts may meet at a boundary: twice
 * the limit in a short time, but never more than the limit within a window.
 */
export interface FixedWindowState {
  /** The window's number since the epoch; also the `slot` of grants. */
  window: number;
  used: number;
}

export const fixedWindow: QuotaCounter<FixedWindowState> = {
  create: () => ({ window: 0, used: 0 }),
  copy: (state) => ({ window: state.window, used: state.used }),

  charge(state: FixedWindowState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    enterWindow(state, Math.floor(nowMs / windowMs));
    const endsInMs = (state.window + 1) * windowMs - nowMs;
    const free = Math.max(0, limit - state.used);
    let granted: number;
    if (amount < 0) granted = demand.slot === state.window ? 0 - Math.min(-amount, state.used) : 0;
    else granted = fittingAmount(demand, free);
    state.used += granted;
    return {
      granted,
      remaining: Math.max(0, limit - state.used),
      resetMs: state.used > 0 ? endsInMs : 0,
      retryAfterMs: granted !== 0 || amount <= 0 ? 0 : neverAfterMs(demand) || endsInMs,
      // The last millisecond of the window is the last in which the amount counts here.
      validForMs: granted > 0 ? Math.min(demand.leaseMs, windowMs, endsInMs - 1) : 0,
      slot: state.window,
    };
  },
};

/**
 * Enters the current window. When the clock went back over a boundary, the later window stays current until
 * it is over, because its count must not be lost; when the clock went back farther, the count moves to the
 * current window.
 */
function enterWindow(state: FixedWindowState, window: number): void {
  if (window > state.window) {
    state.window = window;
    state.used = 0;
  } else if (state.window > window + 1) {
    state.window = window;
  }
}
