// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant, QuotaRequest } from "../quota.ts";

/** What one count is asked: a QuotaRequest without the choice of the count. */
export type QuotaDemand = Omit<QuotaRequest, "cell" | "algorithm">;

/**
 * The arithmetic of one algorithm over a small plain state. Every number is whole; `nowMs` is a clock's reading in
 * whole milliseconds. A state is only ever used with one `windowMs`; the limit may differ from demand to demand.
 * What the three have in common:
 *
 * - A state whose `resetMs` has passed is as good as a new one, and may be thrown away.
 * - A clock that goes back never frees anything early, and delays what it freed by at most two windows.
 * - A lease is held for a window at most, and a longer one is shortened to that.
 */
export interface QuotaCounter<State> {
  create(nowMs: number): State;
  copy(state: State): State;
  /** Counts in `state` what it grants: takes when `amount` > 0, gives back when < 0, looks when 0. */
  charge(state: State, demand: QuotaDemand, nowMs: number): QuotaGrant;
}
