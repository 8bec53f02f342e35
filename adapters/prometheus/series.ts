// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export type LabelValues = Readonly<Record<string, string>>;

/** One series of a metric, with its numbers. */
export class Series {
  /** The values of the labels, in order. */
  readonly labels: readonly string[];
  readonly overflow: boolean;
  /** Monotonic time of the last report; kept only when series expire. */
  lastUsedMs = 0;
  /** Total of a counter or histogram; last value of a gauge. */
  value = 0;
  /** Observations in each bucket of a histogram, without those in smaller buckets. */
  readonly counts: number[];

  constructor(labels: readonly string[], buckets: number, overflow: boolean) {
    this.labels = labels;
    this.overflow = overflow;
    this.counts = Array.from({ length: buckets }, () => 0);
  }
}
