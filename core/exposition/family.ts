// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Metrics as Prometheus knows them, independent of the format in which they are written. */

export type FamilyType = "counter" | "gauge" | "histogram" | "summary" | "untyped";

/** All series of one metric. */
export interface ExposedFamily {
  /** In Prometheus' form. A counter's name with its `_total`, as in the text format. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help?: string;
  /** Read once for each scrape, a part at a time: series may be added and removed meanwhile. */
  readonly series: Iterable<ExposedSeries>;
}

export interface ExposedSeries {
  /** In Prometheus' form, in order, without `le` and `quantile`. */
  readonly labelNames: readonly string[];
  readonly labels: readonly string[];
  /** Of a counter, gauge or untyped series. */
  readonly value?: number;
  readonly histogram?: ExposedHistogram;
  readonly summary?: ExposedSummary;
  /** A time of the sample's own, in milliseconds since the epoch; default: the time of the scrape. */
  readonly timestampMs?: number;
  /** When the series began to count, in milliseconds since the epoch. */
  readonly createdMs?: number;
  /** Whether the text of OpenMetrics, too, has createdMs: as a sample of its own, which becomes a further series. Default false. */
  readonly createdSample?: boolean;
  /** Of a counter. */
  readonly exemplar?: Exemplar;
}

export interface ExposedHistogram {
  /** Upper bounds, ascending; the last is Infinity. */
  readonly bounds: readonly number[];
  /** Observations of each bucket, without those of lower buckets. */
  readonly counts: readonly number[];
  readonly sum?: number;
  readonly count?: number;
  /** The newest exemplar of each bucket that has one. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
  /** The same observations in exponential buckets. Only called for the format that can express them. */
  readonly native?: () => NativeHistogram;
}

/** Buckets of growing width, as Prometheus' native histograms have them. */
export interface NativeHistogram {
  /** A bucket's bound is 2^(2^-schema) times the bound before it; -4 to 8. */
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: SparseBuckets;
  readonly negative: SparseBuckets;
}

/** The buckets that have observations. */
export interface SparseBuckets {
  /** offset, length, offset, length …: the distance to the bucket before, and the number of consecutive buckets. */
  readonly spans: readonly number[];
  /** The count of the first bucket, then each count less the one before. */
  readonly deltas: readonly number[];
}

export interface ExposedSummary {
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
  readonly sum?: number;
  readonly count?: number;
}

/** A request that was counted, so that a reader finds its trace. */
export interface Exemplar {
  readonly labelNames: readonly string[];
  readonly labels: readonly string[];
  readonly value: number;
  readonly timestampMs: number;
}

/** Number of samples of a series in the text format. */
export function sampleCount({ histogram, summary }: ExposedSeries): number {
  const parts = histogram ?? summary;
  if (parts === undefined) return 1;
  const own = histogram === undefined ? (summary?.quantiles.length ?? 0) : histogram.bounds.length;
  return own + (parts.sum === undefined ? 0 : 1) + (parts.count === undefined ? 0 : 1);
}
