// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Metric } from "./metric.ts";

/** google.monitoring.v3.TypedValue in JSON, where an int64 is text. */
export type TypedValue =
  | { readonly int64Value: string }
  | { readonly doubleValue: number }
  | { readonly distributionValue: unknown };

/** The number, or numbers, of one time series. */
export interface SeriesValue {
  /** Takes a finite value. Returns false, and changes nothing, when the sum would be out of range. */
  add(value: number): boolean;
  /** The value to write. */
  typed(): TypedValue;
  /** Whether the sum comes near the end of its range, so that the series must begin again. */
  readonly isNearEnd: boolean;
  /** Begins again at zero, keeping everything that was added since `typed` was called last. */
  restart(): void;
}

/** Beyond this sum, a double no longer counts ones: restart at half of it. */
const MAX_EXACT = Number.MAX_SAFE_INTEGER;

export function valueOf({ kind, valueType, bounds }: Metric): SeriesValue {
  if (valueType === "DISTRIBUTION") return new Distribution(bounds);
  return kind === "GAUGE" ? new Latest(valueType) : new Total(valueType);
}

/** A number in one of the two types. An INT64 is the whole part: of a sum, the fractions are kept for the next point. */
function typedNumber(value: number, valueType: Metric["valueType"]): TypedValue {
  return valueType === "INT64"
    ? { int64Value: BigInt(Math.trunc(value)).toString() }
    : { doubleValue: value };
}

/** The sum of a counter. */
class Total implements SeriesValue {
  readonly #valueType: Metric["valueType"];
  #sum = 0;
  #typed = 0;

  constructor(valueType: Metric["valueType"]) {
    this.#valueType = valueType;
  }

  get isNearEnd(): boolean {
    return this.#sum > MAX_EXACT / 2;
  }

  add(value: number): boolean {
    const sum = this.#sum + value;
    if (this.#valueType === "INT64" ? sum > MAX_EXACT : !Number.isFinite(sum)) return false;
    this.#sum = sum;
    return true;
  }

  typed(): TypedValue {
    this.#typed = this.#valueType === "INT64" ? Math.trunc(this.#sum) : this.#sum;
    return typedNumber(this.#sum, this.#valueType);
  }

  restart(): void {
    this.#sum -= this.#typed;
    this.#typed = 0;
  }
}

/** The last value of a gauge. */
class Latest implements SeriesValue {
  readonly isNearEnd = false;
  readonly #valueType: Metric["valueType"];
  #value = 0;

  constructor(valueType: Metric["valueType"]) {
    this.#valueType = valueType;
  }

  add(value: number): boolean {
    if (this.#valueType === "INT64" && Math.abs(value) > MAX_EXACT) return false;
    this.#value = value;
    return true;
  }

  typed(): TypedValue {
    return typedNumber(this.#value, this.#valueType);
  }

  restart(): void {}
}

/** The observations of a histogram: count, mean and variance by Welford's method, and buckets. */
class Distribution implements SeriesValue {
  readonly isNearEnd = false;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #mean = 0;
  #squares = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(value: number): boolean {
    const count = this.#count + 1;
    const delta = value - this.#mean;
    const mean = this.#mean + delta / count;
    const squares = this.#squares + delta * (value - mean);
    if (!Number.isFinite(mean) || !Number.isFinite(squares)) return false;
    this.#count = count;
    this.#mean = mean;
    this.#squares = squares;
    const bucket = this.#bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    return true;
  }

  typed(): TypedValue {
    return {
      distributionValue: {
        count: String(this.#count),
        mean: this.#mean,
        sumOfSquaredDeviation: Math.max(0, this.#squares),
        bucketOptions: { explicitBuckets: { bounds: this.#bounds } },
        bucketCounts: this.#counts.map(String),
      },
    };
  }

  restart(): void {}

  /** Number of bounds that are at most the value: Google's buckets include their lower bound. */
  #bucketOf(value: number): number {
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#bounds[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
