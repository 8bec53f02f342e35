// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricType } from "../../../plugins/sdk/index.ts";
import { bounded } from "./bounded.ts";
import { ExponentialHistogram, type ExponentialSnapshot } from "./exponential.ts";

export interface ExplicitSnapshot {
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
  readonly count: number;
  readonly sum: number;
}

export type PointValue = number | ExplicitSnapshot | ExponentialSnapshot;

/** The running value of one series. */
export interface Point {
  /** @param value A finite number; not negative for a counter. */
  record(value: number): void;
  /** A value that later records do not change. */
  snapshot(): PointValue;
  /** The slot of a value's exemplar, such as its bucket; undefined when the point takes none. */
  exemplarSlot(value: number): number | undefined;
}

export type PointForm =
  | { readonly kind: "sum" }
  | { readonly kind: "gauge" }
  | { readonly kind: "explicit"; readonly bounds: readonly number[] }
  | { readonly kind: "exponential"; readonly maxScale: number; readonly maxBuckets: number };

export function pointOf(form: PointForm): Point {
  switch (form.kind) {
    case "sum":
      return new Sum();
    case "gauge":
      return new Gauge();
    case "explicit":
      return new ExplicitHistogram(form.bounds);
    case "exponential":
      return new ExponentialHistogram(form.maxScale, form.maxBuckets);
  }
}

class Sum implements Point {
  #value = 0;

  record(value: number): void {
    this.#value = bounded(this.#value + value);
  }

  snapshot(): number {
    return this.#value;
  }

  exemplarSlot(): number {
    return 0;
  }
}

class Gauge implements Point {
  #value = 0;

  record(value: number): void {
    this.#value = value;
  }

  snapshot(): number {
    return this.#value;
  }

  /** The last value of a gauge stands for no request. */
  exemplarSlot(): undefined {
    return undefined;
  }
}

/** Bucket i holds the values in (bounds[i-1], bounds[i]], the last one those above every bound. */
class ExplicitHistogram implements Point {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #count = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  record(value: number): void {
    (this.#counts[this.exemplarSlot(value)] as number)++;
    this.#count++;
    this.#sum = bounded(this.#sum + value);
  }

  snapshot(): ExplicitSnapshot {
    return {
      buckets: { boundaries: [...this.#bounds], counts: [...this.#counts] },
      count: this.#count,
      sum: this.#sum,
    };
  }

  /** The value's bucket. */
  exemplarSlot(value: number): number {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    return bucket;
  }
}

/** Default bounds of the semantic conventions, for a latency in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const BYTES = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

/** The form of a metric's points. */
export function formOf(
  {
    type,
    buckets,
    unit,
  }: { readonly type: MetricType; readonly buckets?: readonly number[]; readonly unit?: string },
  histogram: {
    readonly kind: "explicit" | "exponential";
    readonly maxScale: number;
    readonly maxBuckets: number;
  },
): PointForm {
  if (type === "counter") return { kind: "sum" };
  if (type === "gauge") return { kind: "gauge" };
  if (histogram.kind === "exponential") return { ...histogram, kind: "exponential" };
  return { kind: "explicit", bounds: buckets ?? defaultBounds(ucumOf(unit)) };
}

function defaultBounds(unit: string): readonly number[] {
  if (unit === "ms") return SECONDS.map((bound) => bound * 1000);
  return unit === "By" ? BYTES : SECONDS;
}

const UCUM: Readonly<Record<string, string>> = { milliseconds: "ms", seconds: "s", bytes: "By" };

/** The unit as UCUM writes it, which OTLP asks for; a unit that is not known is left as it is. */
export function ucumOf(unit: string | undefined): string {
  if (unit === undefined) return "";
  return Object.hasOwn(UCUM, unit) ? (UCUM[unit] as string) : unit;
}
