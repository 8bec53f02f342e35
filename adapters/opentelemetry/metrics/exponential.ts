// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { bounded } from "./bounded.ts";

/** Bounds of the data model's exponential histograms: the default of the SDK specification is 160 buckets and scale 20. */
export const MAX_SCALE = 20;
export const MIN_SCALE = -10;
export const MAX_BUCKETS = 160;
/** Two buckets hold all doubles at scale -11: at a smaller number, the resolution could not be halved far enough. */
export const MIN_BUCKETS = 2;

const EXEMPLAR_SLOTS = 20;

/** Counts of consecutive buckets, beginning at bucket `offset`. */
interface Buckets {
  offset: number;
  counts: number[];
}

export interface ExponentialSnapshot {
  readonly count: number;
  readonly sum: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: { readonly offset: number; readonly bucketCounts: number[] };
  readonly negative: { readonly offset: number; readonly bucketCounts: number[] };
}

/**
 * An exponential histogram (OpenTelemetry's metrics data model): bucket i holds the absolute values in (base^i, base^(i+1)], where
 * base is 2^(2^-scale). The scale falls by halves of the resolution when the values need more than `maxBuckets`.
 */
export class ExponentialHistogram {
  readonly #maxBuckets: number;
  readonly #positive: Buckets = { offset: 0, counts: [] };
  readonly #negative: Buckets = { offset: 0, counts: [] };
  #scale: number;
  #count = 0;
  #sum = 0;
  #zeroCount = 0;

  constructor(maxScale: number = MAX_SCALE, maxBuckets: number = MAX_BUCKETS) {
    this.#scale = maxScale;
    this.#maxBuckets = maxBuckets;
  }

  /** @param value A finite number. */
  record(value: number): void {
    this.#count++;
    this.#sum = bounded(this.#sum + value);
    if (value === 0) {
      this.#zeroCount++;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    let index = bucketIndex(Math.abs(value), this.#scale);
    const excess = excessOf(buckets, index, this.#maxBuckets);
    if (excess > 0) {
      this.#downscale(excess);
      index = bucketIndex(Math.abs(value), this.#scale);
    }
    increment(buckets, index);
  }

  snapshot(): ExponentialSnapshot {
    const copy = ({ offset, counts }: Buckets) => ({ offset, bucketCounts: [...counts] });
    return {
      count: this.#count,
      sum: this.#sum,
      scale: this.#scale,
      zeroCount: this.#zeroCount,
      positive: copy(this.#positive),
      negative: copy(this.#negative),
    };
  }

  /** Powers of two share the slots by turns; the SDK specification has as many for this histogram (SimpleFixedSizeExemplarReservoir). */
  exemplarSlot(value: number): number {
    const exponent = value === 0 ? 0 : exponentOf(Math.abs(value));
    return ((exponent % EXEMPLAR_SLOTS) + EXEMPLAR_SLOTS) % EXEMPLAR_SLOTS;
  }

  /** Both signs share one scale. */
  #downscale(by: number): void {
    this.#scale -= by;
    for (const buckets of [this.#positive, this.#negative]) merge(buckets, by);
  }
}

/** The number of times that the resolution must be halved before `index` fits. */
function excessOf({ offset, counts }: Buckets, index: number, maxBuckets: number): number {
  if (counts.length === 0) return 0;
  let low = Math.min(offset, index);
  let high = Math.max(offset + counts.length - 1, index);
  let halvings = 0;
  while (high - low >= maxBuckets) {
    low >>= 1;
    high >>= 1;
    halvings++;
  }
  return halvings;
}

function increment(buckets: Buckets, index: number): void {
  const { counts } = buckets;
  if (counts.length === 0) buckets.offset = index;
  while (index < buckets.offset) {
    counts.unshift(0);
    buckets.offset--;
  }
  const position = index - buckets.offset;
  while (counts.length <= position) counts.push(0);
  (counts[position] as number)++;
}

function merge(buckets: Buckets, by: number): void {
  const { offset, counts } = buckets;
  if (counts.length === 0) return;
  const merged: number[] = [];
  const first = offset >> by;
  for (const [position, count] of counts.entries()) {
    const index = ((offset + position) >> by) - first;
    merged[index] = (merged[index] ?? 0) + count;
  }
  buckets.offset = first;
  buckets.counts = merged;
}

const view = new DataView(new ArrayBuffer(8));

/** The bucket of a positive finite number: i with base^i < value <= base^(i+1). */
export function bucketIndex(value: number, scale: number): number {
  const exponent = exponentOf(value);
  const isPower = value === 2 ** exponent;
  // At scale 0 and below, a bucket is a power of two or several, and the exponent is exact.
  if (scale <= 0) return (exponent - (isPower ? 1 : 0)) >> -scale;
  // Powers of two are bounds at every scale, where a logarithm could be rounded to the wrong side.
  if (isPower) return exponent * 2 ** scale - 1;
  const mantissa = value / 2 ** exponent;
  const inside = Math.ceil(Math.log2(mantissa) * 2 ** scale) - 1;
  return exponent * 2 ** scale + Math.min(Math.max(inside, 0), 2 ** scale - 1);
}

/** The exponent e with 2^e <= value < 2^(e+1). */
function exponentOf(value: number): number {
  view.setFloat64(0, value);
  const biased = (view.getUint16(0) >> 4) & 0x7ff;
  // A subnormal number has no leading one: 2^52 makes it a normal one.
  return biased === 0 ? exponentOf(value * 2 ** 52) - 52 : biased - 1023;
}
