// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCounter, QuotaDemand } from "./counter.ts";
import { fittingAmount, leastAmount, neverAfterMs } from "./fitting-amount.ts";
import type { QuotaGrant } from "../quota.ts";

/**
 * A bucket of `limit` tokens that refills evenly, `limit` in a window: GCRA (ITU-T I.371) with the window as its
 * tolerance. In any interval d at most limit + limit × d / windowMs are used.
 *
 * GCRA keeps one time, TAT: when the bucket will be full again. With T = windowMs / limit, the cost of one token in
 * time, a grant of n is possible when max(TAT, now) + n T <= now + windowMs. With limits in the millions T is far below
 * what a floating-point number of milliseconds since the epoch can hold, so TAT is kept as `atMs` + `debt` / limit. Both
 * are whole numbers, and all arithmetic on them is exact as long as 3 × limit × windowMs stays below 2^53.
 *
 * A lease is counted as if used at its end e: TAT' = max(TAT, e) + n T. Why that makes its use safe at any time u in
 * [now, e]: take an interval [x, y] and the grants used in it, in the order they were granted. After the first,
 * TAT >= e + n T >= x + n T, and each later one adds its own n T; so before the last, of amount m and granted at a, TAT is
 * at least x and the sum of the others. The last was possible: max(TAT, a) + m T <= a + windowMs <= y + windowMs. So
 * together they are at most (y − x + windowMs) / T tokens.
 *
 * Requests with different limits share one count: an override applies to some of them, or the limit was edited. Each
 * limit has a bucket of its own, every grant is taken from all buckets, and a demand is held against the bucket of its
 * own limit. A bucket can be no emptier than empty.
 */
export interface TokenBucketState {
  /** The time that all debts are reckoned from; at most a window ahead of now. */
  atMs: number;
  /** One for each limit that was used since all were last full, by rising limit. */
  buckets: Bucket[];
}

interface Bucket {
  readonly limit: number;
  /** Tokens × windowMs that are missing at `atMs`; at most limit × windowMs. */
  debt: number;
  /**
   * Names a run of grants that may still be given back in full; the `slot` of grants. Grows with time, so that it is
   * never that of an earlier state of the same cell.
   */
  epoch: number;
  /** Tokens granted under this limit in this epoch and not given back. */
  returnable: number;
}

/** Beyond so many limits in one count, one in the middle is forgotten; it begins again with what others miss most. */
const MAX_BUCKETS = 8;

export const tokenBucket: QuotaCounter<TokenBucketState> = {
  create: (nowMs) => ({ atMs: nowMs, buckets: [] }),
  copy: ({ atMs, buckets }) => ({ atMs, buckets: buckets.map((bucket) => ({ ...bucket })) }),

  charge(state: TokenBucketState, demand: QuotaDemand, nowMs: number): QuotaGrant {
    const { limit, windowMs, amount } = demand;
    if (state.atMs > nowMs + windowMs) setBack(state, windowMs, nowMs);
    // A count that is whole again has no past, whatever limits it met.
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

/** What is missing at a time: (TAT − time) × limit. */
function debtAt({ atMs }: TokenBucketState, { limit, debt }: Bucket, timeMs: number): number {
  return Math.max(0, debt + (atMs - timeMs) * limit);
}

/** The bucket of a limit that the count has not met. What is used stays used: as much is missing as of any other limit. */
function newBucket(
  { buckets }: TokenBucketState,
  rests: boolean,
  { limit, windowMs }: QuotaDemand,
  nowMs: number,
): Bucket {
  const debt = rests ? 0 : Math.max(...buckets.map((one) => one.debt));
  const epoch = Math.max(nowMs, ...buckets.map((one) => one.epoch + 1));
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
    // Were everything of this epoch given back, the bucket would be full at `atMs`, and what is over would spill: this
    // grant's place then rests on the others' having been used. It also does where more is taken than a bucket holds. So
    // they stay as they are, and a new epoch begins.
    if (owed < returnable * windowMs || debt > capacity) newEpoch(bucket, endMs);
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
  bucket.epoch = Math.max(bucket.epoch + 1, timeMs);
  bucket.returnable = 0;
}

/**
 * Gives back what this epoch took of the bucket of the demand's limit; in the others it counts as used. Safe, because
 * every grant of the epoch found at least as much debt as all returnable ones of it together made: without those, TAT
 * would be lower by exactly their share, with no bucket overflowing meanwhile. A bucket that is full again has nothing
 * to take back.
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

/** The clock went back: no grant reaches more than a window ahead. All buckets are taken for as empty as they can be. */
function setBack(state: TokenBucketState, windowMs: number, nowMs: number): void {
  state.atMs = nowMs + windowMs;
  for (const bucket of state.buckets) {
    bucket.debt = bucket.limit * windowMs;
    bucket.epoch++;
    bucket.returnable = 0;
  }
}
