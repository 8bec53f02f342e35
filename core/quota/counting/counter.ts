// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant, QuotaRequest } from "../quota.ts";

/** The demand on one count: a QuotaRequest without the selection of the count. */
export type QuotaDemand = Omit<QuotaRequest, "cell" | "algorithm" | "align">;

/**
 * The arithmetic of one algorithm over a small plain state. All numbers are whole; `nowMs` is a clock's
 * reading in whole milliseconds. A state is only used with one `windowMs` and one rule of periods; the limit
 * may differ between demands. For all algorithms:
 *
 * - A state whose `resetMs` has passed is equivalent to a new one, and may be dropped.
 * - A clock that goes back never frees anything early, and delays freeing by at most two windows.
 * - A lease is held for at most a window; longer ones are shortened. An `allocation` has no window.
 */
export interface QuotaCounter<State> {
  create(nowMs: number): State;
  copy(state: State): State;
  /** Counts the grant in `state`: takes when `amount` > 0, gives back when < 0, reads when 0. */
  charge(state: State, demand: QuotaDemand, nowMs: number): QuotaGrant;
  /** Number of entries of a state that grows with use; absent for states of a bounded size. */
  entries?(state: State): number;
}
