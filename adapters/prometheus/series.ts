// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Exemplar } from "../../plugins/sdk/index.ts";
import type { NativeBuckets } from "./native-buckets.ts";

export type LabelValues = Readonly<Record<string, string>>;

export interface SeriesOptions {
  /** Number of a histogram's buckets, with the last one for `+Inf`; 0 for other metrics. */
  readonly buckets: number;
  readonly overflow: boolean;
  readonly createdMs: number;
  readonly native: NativeBuckets | undefined;
}

/** One series of a metric, with its numbers. */
export class Series {
  /** The values of the labels, in order. */
  readonly labels: readonly string[];
  readonly overflow: boolean;
  /** In milliseconds since the epoch. */
  readonly createdMs: number;
  /** Monotonic time of the last report; kept only when series expire. */
  lastUsedMs = 0;
  /** Total of a counter or histogram; last value of a gauge. */
  value = 0;
  /** Observations of a histogram. */
  count = 0;
  /** Observations in each bucket of a histogram, without those in smaller buckets. */
  readonly counts: number[];
  /** Of a histogram, when it has them. */
  readonly native: NativeBuckets | undefined;
  /** The newest exemplar: of a counter at 0, of a histogram for each bucket. Most series have none. */
  exemplars: (Exemplar | undefined)[] | undefined;

  constructor(labels: readonly string[], { buckets, overflow, createdMs, native }: SeriesOptions) {
    this.labels = labels;
    this.overflow = overflow;
    this.createdMs = createdMs;
    this.native = native;
    this.counts = Array.from({ length: buckets }, () => 0);
  }
}
