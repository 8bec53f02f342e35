// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  Clock,
  ExposedFamily,
  ExposedSeries,
  MetricInstance,
  MetricType,
} from "../../plugins/sdk/index.ts";
import { exemplarOf } from "./exemplars.ts";
import { NativeBuckets } from "./native-buckets.ts";
import { type LabelValues, Series } from "./series.ts";
import { SeriesTable } from "./series-table.ts";

/** Rules for every family of a handler. */
export interface SeriesRules {
  readonly clock: Clock;
  readonly maxSeries: number;
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
  readonly nativeHistograms: boolean;
  readonly createdSamples: boolean;
}

export interface FamilyOptions extends SeriesRules {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Labels as instances name them, in order. */
  readonly keys: readonly string[];
  /** The same labels as Prometheus names them. */
  readonly labelNames: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; none for other types. */
  readonly bounds: readonly number[];
}

/** A metric as Prometheus sees it. */
export class Family {
  readonly #options: FamilyOptions;
  readonly #series: SeriesTable;
  /** The bounds with the last bucket's. */
  readonly #allBounds: readonly number[];

  constructor(options: FamilyOptions) {
    const { type, bounds, clock, nativeHistograms } = options;
    const isHistogram = type === "histogram";
    this.#options = options;
    this.#allBounds = [...bounds, Number.POSITIVE_INFINITY];
    this.#series = new SeriesTable({
      ...options,
      create: (labels, overflow) =>
        new Series(labels, {
          buckets: isHistogram ? bounds.length + 1 : 0,
          overflow,
          createdMs: clock.nowMs(),
          native: isHistogram && nativeHistograms ? new NativeBuckets() : undefined,
        }),
    });
  }

  get name(): string {
    return this.#options.name;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  /**
   * @param nowMs Monotonic time; only read when series expire.
   * @returns The series that counted the observation, undefined when the labels have other keys than the family.
   */
  record(labels: LabelValues, value: number, nowMs: number): Series | undefined {
    const series = this.#series.seriesFor(labels, nowMs);
    if (series === undefined) return undefined;
    const { type } = this.#options;
    if (type === "gauge") series.value = value;
    else series.value += value;
    if (type === "histogram") {
      series.count++;
      (series.counts[this.#bucketOf(value)] as number)++;
      series.native?.observe(value);
    }
    return series;
  }

  /** Keeps the instance's exemplar, if it has one, for the series that counted it. */
  keepExemplar(series: Series, instance: MetricInstance): void {
    const { type } = this.#options;
    if (type === "gauge") return;
    const slot = type === "histogram" ? this.#bucketOf(instance.value) : 0;
    const exemplar = exemplarOf(instance, series.exemplars?.[slot]);
    if (exemplar === undefined) return;
    series.exemplars ??= [];
    series.exemplars[slot] = exemplar;
  }

  expire(nowMs: number): void {
    this.#series.expire(nowMs);
  }

  exposed(): ExposedFamily {
    const { name, type, help } = this.#options;
    return { name, type, help, series: { [Symbol.iterator]: () => this.#exposedSeries() } };
  }

  *#exposedSeries(): Generator<ExposedSeries> {
    const { type, labelNames, createdSamples: createdSample } = this.#options;
    for (const series of this.#series.all) {
      const { labels, value, count, counts, createdMs, exemplars, native } = series;
      if (type === "gauge") yield { labelNames, labels, value };
      else if (type === "counter") {
        const exemplar = exemplars?.[0];
        const own = { labelNames, labels, value, createdMs, createdSample };
        yield exemplar === undefined ? own : { ...own, exemplar };
      } else {
        const histogram = {
          bounds: this.#allBounds,
          counts,
          sum: value,
          count,
          ...(exemplars === undefined ? {} : { exemplars }),
          ...(native === undefined ? {} : { native: () => native.exposed() }),
        };
        yield { labelNames, labels, histogram, createdMs, createdSample };
      }
    }
  }

  #bucketOf(value: number): number {
    const { bounds } = this.#options;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    return bucket;
  }
}
