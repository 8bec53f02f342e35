// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import { fittingAmount, leastAmount, neverAfterMs } from "./fitting-amount.ts";
import type { QuotaGrant } from "../quota.ts";

/**
 * A bucket of `limit` tokens that refills evenly, `limit` in a window: GCRA (ITU-T I.371) with the window as
 * its tolerance. In any interval d at most limit + limit × d / windowMs are used.
 *
 * GCRA keeps one time, TAT: when the bucket will be full again. With T = windowMs / limit, the cost of one
 * token in time, a grant of n is possible when max(TAT, now) + n T <= now + windowMs. With limits in the
 * millions T is far below the precision of a floating-point number of milliseconds since the epoch, so TAT is
 * kept as `atMs` + `debt` / limit. Both are whole numbers, and all arithmetic on them is exact as long as 3 ×
 * limit × windowMs is below 2^53.
 *
 * A lease is counted as if used at its end e: TAT' = max(TAT, e) + n T. Why that is safe for a use at any
 * time u in [now, e]: take an interval [x, y] and the grants used in it, in the order they were granted.
 * After the first, TAT >= e + n T >= x + n T, and each later one adds its own n T; so before the last, of
 * amount m and granted at a, TAT is at least x plus the sum of the others. The last was possible: max(TAT, a)
 * + m T <= a + windowMs <= y + windowMs. So together they are at most (y − x + windowMs) / T tokens.
 *
 * Requests with different limits share one count: an override applies to some of them, or the limit was
 * edited. Each limit has its own bucket, every grant is taken from all buckets, and a demand is checked
 * against the bucket of its own limit. A bucket cannot go below empty.
 */
export interface TokenBucketState {
  /** The reference time of all debts; at most a window ahead of now. */
  atMs: number;
  /** One bucket for each limit used since all buckets were last full, by ascending limit. */
  buckets: Bucket[];
}

interface Bucket {
  readonly limit: number;
  /** Missing tokens × windowMs at `atMs`; at most limit × windowMs. */
  debt: number;
  /**
   * Identifies a run of grants that can still be given back in full; the `slot` of grants: a time in parts of
   * a millisecond, and one part more for each run that begins in the same millisecond. So it never equals that
   * of an earlier state of the same cell, which was full, and dropped, at least a millisecond later.
   */
  epoch: number;
  /** Tokens granted under this limit in this epoch and not yet given back. */
  returnable: number;
}

const EPOCHS_PER_MS = 1_000;

/**
 * Beyond this number of limits in one count, a middle one is dropped; it starts again with the largest debt
 * of the others.
 */
const MAX_BUCKETS = 8;

export const tokenBucket: QuotaCounter<TokenBucketState> = {
  create: (nowMs) => ({ atMs: nowMs, buckets: [] }),
  copy: ({ atMs, buckets }) => ({ atMs, buckets: buckets.map((bucket) => ({ ...bucket })) }),

  charge(state: TokenBucketState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    if (state.atMs > nowMs + windowMs) setBack(state, windowMs, nowMs);
    // A full count has no history, whatever limits it was used with.
    const rests = state.buckets.every((one) => debtAt(state, one, nowMs) === 0);
    const buckets = rests ? [] : state.buckets;
    const bucket = buckets.find((one) => one.limit === limit) ?? newBucket(state, rests, demand, nowMs);
    const capacity = limit * windowMs;
    const free = () => Math.max(0, Math.floor((capacity - debtAt(state, bucket, nowMs)) / windowMs));
    const leaseMs = Math.min(demand.leaseMs, windowMs);
    let granted: number;
    if (amount < 0) granted = 0 - giveBack(state, bucket, demand, nowMs);
    else {
      granted = fittingAmount(demand, free());
      if (granted > 0) {
        state.buckets = buckets;
        take(state, bucket, granted, windowMs, nowMs + leaseMs);
      }
    }
    return {
      granted,
      remaining: free(),
      resetMs: Math.max(0, ...state.buckets.map((one) => Math.ceil(debtAt(state, one, nowMs) / one.limit))),
      retryAfterMs:
        granted !== 0 || amount <= 0
          ? 0
          : neverAfterMs(demand) || untilFree(demand, debtAt(state, bucket, nowMs)),
      validForMs: granted > 0 ? leaseMs : 0,
      slot: bucket.epoch,
    };
  },
};

/** Debt at a time: (TAT − time) × limit. */
function debtAt({ atMs }: TokenBucketState, { limit, debt }: Bucket, timeMs: number): number {
  return Math.max(0, debt + (atMs - timeMs) * limit);
}

/** The bucket of a new limit. Used amounts stay used: its debt is the largest of the other limits. */
function newBucket(
  { buckets }: TokenBucketState,
  rests: boolean,
  { limit, windowMs }: QuotaDemand,
  nowMs: number,
): Bucket {
  const debt = rests ? 0 : Math.max(...buckets.map((one) => one.debt));
  const epoch = Math.max(nowMs * EPOCHS_PER_MS, ...buckets.map((one) => one.epoch + 1));
  return { limit, debt: Math.min(debt, limit * windowMs), epoch, returnable: 0 };
}

/** Takes a grant, to be used at `endMs` at the latest, from all buckets. */
function take(state: TokenBucketState, own: Bucket, granted: number, windowMs: number, endMs: number): void {
  if (!state.buckets.includes(own)) addBucket(state.buckets, own);
  const atMs = Math.max(state.atMs, endMs);
  for (const bucket of state.buckets) {
    const { limit, returnable } = bucket;
    const owed = debtAt(state, bucket, atMs);
    const debt = owed + granted * windowMs;
    const capacity = limit * windowMs;
    // If everything of this epoch were given back, the bucket would be full at `atMs` and overflow: then this
    // grant was only possible because the others were used. The same holds when more is taken than a bucket
    // has. So these grants can no longer be given back, and a new epoch begins.
    if (returnable > 0 && (owed < returnable * windowMs || debt > capacity)) newEpoch(bucket, endMs);
    bucket.debt = Math.min(debt, capacity);
    if (bucket === own) bucket.returnable += granted;
  }
  state.atMs = atMs;
}

function addBucket(buckets: Bucket[], added: Bucket): void {
  const index = buckets.findLastIndex((one) => one.limit < added.limit) + 1;
  buckets.splice(index, 0, added);
  if (buckets.length > MAX_BUCKETS) buckets.splice(index === 1 ? 2 : 1, 1);
}

function newEpoch(bucket: Bucket, timeMs: number): void {
  bucket.epoch = Math.max(bucket.epoch + 1, timeMs * EPOCHS_PER_MS);
  bucket.returnable = 0;
}

/**
 * Gives back tokens of this epoch to the bucket of the demand's limit; in other buckets they count as used.
 * This is safe, because every grant of the epoch found at least as much debt as all its returnable grants
 * together: without them, TAT would be lower by exactly their share, without an overflow meanwhile. A full
 * bucket takes nothing back.
 */
function giveBack(
  state: TokenBucketState,
  bucket: Bucket,
  { amount, slot, windowMs }: QuotaDemand,
  nowMs: number,
): number {
  if (slot !== bucket.epoch || debtAt(state, bucket, nowMs) === 0) return 0;
  const returned = Math.min(-amount, bucket.returnable);
  bucket.returnable -= returned;
  bucket.debt -= returned * windowMs;
  return returned;
}

function untilFree(demand: QuotaDemand, debt: number): number {
  const { limit, windowMs } = demand;
  return Math.ceil((debt - (limit - leastAmount(demand)) * windowMs) / limit);
}

/** The clock went back: no grant reaches more than a window ahead, so all buckets are set to empty. */
function setBack(state: TokenBucketState, windowMs: number, nowMs: number): void {
  state.atMs = nowMs + windowMs;
  for (const bucket of state.buckets) {
    bucket.debt = bucket.limit * windowMs;
    bucket.epoch++;
    bucket.returnable = 0;
  }
}
