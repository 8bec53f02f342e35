// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import { leastAmount, neverAfterMs } from "./fitting-amount.ts";
import type { QuotaGrant } from "./quota.ts";

/**
 * A bucket of `limit` tokens that refills evenly, `limit` in a window: GCRA (ITU-T I.371) with the window as its
 * tolerance. In any interval d at most limit + limit × d / windowMs are used.
 *
 * GCRA keeps one time, TAT: when the bucket will be full again. With T = windowMs / limit, the cost of one token in
 * time, a grant of n sets TAT' = max(TAT, now) + n T, and is possible when TAT' <= now + windowMs. With limits in the
 * millions T is far below what a floating-point number of milliseconds since the epoch can hold, so TAT is kept as
 * `atMs` + `debt` / limit. Both are whole numbers, and all arithmetic on them is exact as long as limit × windowMs
 * stays below 2^53; beyond, the error is under a millionth of a token.
 *
 * A lease is counted as if used at its end e: TAT' = max(TAT, e) + n T <= now + windowMs. Why that makes its use safe
 * at any time u in [now, e]: take an interval [x, y] and the grants used in it, in the order they were granted. After
 * the first, TAT >= e + n T >= u + n T >= x + n T, and each later one adds its own n T. After the last, granted at a,
 * TAT <= a + windowMs <= u + windowMs <= y + windowMs. So together they are at most (y − x + windowMs) / T tokens.
 */
export interface TokenBucketState {
  atMs: number;
  /** Tokens × windowMs. */
  debt: number;
  /**
   * Names a run of grants that may still be given back in full; the `slot` of grants. Grows with time, so that it is
   * never that of an earlier state of the same cell.
   */
  epoch: number;
  /** Tokens granted in this epoch and not given back. */
  returnable: number;
}

export const tokenBucket: QuotaCounter<TokenBucketState> = {
  create: (nowMs) => ({ atMs: nowMs, debt: 0, epoch: nowMs, returnable: 0 }),
  copy: (state) => ({ atMs: state.atMs, debt: state.debt, epoch: state.epoch, returnable: state.returnable }),

  charge(state: TokenBucketState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    const capacity = limit * windowMs;
    if (state.atMs > nowMs + windowMs) emptyBucket(state, capacity, nowMs);
    let granted = 0;
    let leaseMs = 0;
    if (amount < 0) granted = 0 - giveBack(state, demand, nowMs);
    else if (amount > 0) {
      leaseMs = longestLease(state, demand, nowMs);
      if (leaseMs >= 0) granted = take(state, demand, nowMs, leaseMs);
    }
    const debt = debtAt(state, demand, nowMs);
    return {
      granted,
      remaining: Math.max(0, Math.floor((capacity - debt) / windowMs)),
      resetMs: limit > 0 ? Math.ceil(debt / limit) : state.debt > 0 ? windowMs : 0,
      retryAfterMs: granted !== 0 || amount <= 0 ? 0 : neverAfterMs(demand) || untilFree(demand, debt),
      validForMs: granted > 0 ? leaseMs : 0,
      slot: state.epoch,
    };
  },
};

/**
 * What is owed at a time: TAT − time, as tokens × windowMs. A bucket can be no emptier than empty: what a larger limit
 * left behind, before the policy was edited, weighs no more than that.
 */
function debtAt(state: TokenBucketState, { limit, windowMs }: QuotaDemand, timeMs: number): number {
  return Math.max(0, Math.min(state.debt, limit * windowMs) + (state.atMs - timeMs) * limit);
}

/**
 * For how long the least acceptable amount may be held: `leaseMs` when it fits, less when only a shorter lease does, -1
 * when not even using it at once fits. So a refusal always means that the tokens are gone, never that the lease was
 * too long.
 */
function longestLease(state: TokenBucketState, demand: QuotaDemand, nowMs: number): number {
  const { limit, windowMs } = demand;
  const spare = (limit - leastAmount(demand)) * windowMs;
  if (spare < 0 || debtAt(state, demand, nowMs) > spare) return -1;
  return Math.min(demand.leaseMs, windowMs, Math.floor(spare / limit));
}

function take(state: TokenBucketState, demand: QuotaDemand, nowMs: number, leaseMs: number): number {
  const { limit, windowMs } = demand;
  const endMs = nowMs + leaseMs;
  const owed = debtAt(state, demand, endMs);
  const granted = Math.min(demand.amount, Math.floor(((windowMs - leaseMs) * limit - owed) / windowMs));
  if (owed < state.returnable * windowMs) {
    // The bucket would be full at endMs if everything of this epoch were given back, and what is over would spill: this
    // grant's place then rests on the others' having been used. So they stay as they are, and a new epoch begins.
    state.epoch = Math.max(state.epoch + 1, nowMs);
    state.returnable = 0;
  }
  state.atMs = endMs;
  state.debt = owed + granted * windowMs;
  state.returnable += granted;
  return granted;
}

/**
 * Gives back what this epoch took. Safe, because every grant of the epoch found at least as much debt as all earlier
 * ones of it together made: without those, TAT would be lower by exactly their share, with no bucket overflowing
 * meanwhile. A bucket that is full again has nothing to take back.
 */
function giveBack(state: TokenBucketState, demand: QuotaDemand, nowMs: number): number {
  if (demand.slot !== state.epoch || debtAt(state, demand, nowMs) === 0) return 0;
  const returned = Math.min(-demand.amount, state.returnable);
  state.returnable -= returned;
  state.debt -= returned * demand.windowMs;
  return returned;
}

function untilFree(demand: QuotaDemand, debt: number): number {
  const { limit, windowMs } = demand;
  return Math.ceil((debt - (limit - leastAmount(demand)) * windowMs) / limit);
}

/** The clock went back: no grant reaches more than a window ahead. The bucket can be no emptier than empty. */
function emptyBucket(state: TokenBucketState, capacity: number, nowMs: number): void {
  state.atMs = nowMs;
  state.debt = capacity;
  state.epoch++;
  state.returnable = 0;
}
