// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { NativeHistogram, SparseBuckets } from "../../plugins/sdk/index.ts";

/** Eight buckets for each doubling: a bucket is 9 % wide, as the Prometheus clients begin by default (factor 1.1). */
const FIRST_SCHEMA = 3;
const LAST_SCHEMA = -4;

/** Bound of a series' buckets, as in the OpenTelemetry SDKs; 160 buckets cover a ratio of a million at the first schema. */
const MAX_BUCKETS = 160;

/** Values nearer to 0 are counted apart: the smallest normal float32, which is the default of the Prometheus clients. */
const ZERO_THRESHOLD = 2 ** -128;

/** Gaps of so many empty buckets are written as zeros, which are shorter than a further span. */
const MAX_GAP = 2;

/**
 * Exponential buckets, as Prometheus' native histograms have them: bucket `i` of schema `s` holds the values in
 * (2^((i-1)/2^s), 2^(i/2^s)]. When a series needs more than 160 buckets, each two are merged, and so on, down to buckets of a
 * factor of 65,536: 264 of these are enough for every float64.
 */
export class NativeBuckets {
  #schema = FIRST_SCHEMA;
  #zeroCount = 0;
  #positive = new Map<number, number>();
  #negative = new Map<number, number>();

  /** @param value Finite. */
  observe(value: number): void {
    const size = Math.abs(value);
    if (size <= ZERO_THRESHOLD) {
      this.#zeroCount++;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    const index = bucketOf(size, this.#schema);
    buckets.set(index, (buckets.get(index) ?? 0) + 1);
    while (this.#positive.size + this.#negative.size > MAX_BUCKETS && this.#schema > LAST_SCHEMA)
      this.#widen();
  }

  exposed(): NativeHistogram {
    return {
      schema: this.#schema,
      zeroThreshold: ZERO_THRESHOLD,
      zeroCount: this.#zeroCount,
      positive: sparse(this.#positive),
      negative: sparse(this.#negative),
    };
  }

  #widen(): void {
    this.#schema--;
    this.#positive = merged(this.#positive);
    this.#negative = merged(this.#negative);
  }
}

const view = new DataView(new ArrayBuffer(8));
/** 2^54, by which a subnormal number becomes a normal one. */
const NORMALIZING = 2 ** 54;

/** The bucket of a number above 0. */
export function bucketOf(value: number, schema: number): number {
  // As C's frexp: value = fraction * 2^exponent, with the fraction in [0.5, 1).
  const isSubnormal = value < 2 ** -1022;
  view.setFloat64(0, isSubnormal ? value * NORMALIZING : value);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) - 1022 - (isSubnormal ? 54 : 0);
  view.setUint32(0, (high & 0x800f_ffff) | (1022 << 20));
  const fraction = view.getFloat64(0);
  if (schema > 0) {
    const perDoubling = 2 ** schema;
    // The smallest step whose bound is no less than the fraction; the logarithm may be off by one in its last bit.
    let step = Math.ceil(Math.log2(fraction * 2) * perDoubling);
    if (step > 0 && 2 ** ((step - 1) / perDoubling) >= fraction * 2) step--;
    else if (2 ** (step / perDoubling) < fraction * 2) step++;
    return step + (exponent - 1) * perDoubling;
  }
  // The bucket at schema 0 is the exponent, less one for the powers of two, which are upper bounds.
  const atZero = fraction === 0.5 ? exponent - 1 : exponent;
  return Math.ceil(atZero / 2 ** -schema);
}

function merged(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const wider = new Map<number, number>();
  for (const [index, count] of buckets) {
    const to = Math.ceil(index / 2);
    wider.set(to, (wider.get(to) ?? 0) + count);
  }
  return wider;
}

function sparse(buckets: ReadonlyMap<number, number>): SparseBuckets {
  const spans: number[] = [];
  const deltas: number[] = [];
  let next: number | undefined;
  let before = 0;
  const add = (count: number): void => {
    deltas.push(count - before);
    before = count;
    (spans[spans.length - 1] as number)++;
  };
  for (const [index, count] of [...buckets].sort(([a], [b]) => a - b)) {
    const gap: number = next === undefined ? index : index - next;
    if (next === undefined || gap > MAX_GAP) spans.push(gap, 0);
    else for (let empty = 0; empty < gap; empty++) add(0);
    add(count);
    next = index + 1;
  }
  return { spans, deltas };
}
