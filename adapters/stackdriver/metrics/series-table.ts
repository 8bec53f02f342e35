// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, MetricInstance } from "../../../plugins/sdk/index.ts";
import type { Counters } from "../counters.ts";
import { cutCharacters } from "../text.ts";
import type { Metric, MetricBook } from "./metric.ts";
import { Series } from "./series.ts";

/** Maximum length of a label's value, in characters (cloud.google.com/monitoring/quotas). */
const MAX_VALUE_LENGTH = 1024;

/** Value of every label of an overflow series. */
const OVERFLOW = "_overflow";

export interface SeriesTableOptions {
  readonly metrics: MetricBook;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly maxSeries: number;
  readonly expireAfterMs: number;
}

/** The time series of one handler: at most maxSeries, and one overflow series for each metric. */
export class SeriesTable {
  readonly #options: SeriesTableOptions;
  readonly #series = new Map<string, Series>();
  readonly #overflow = new Map<string, Series>();
  /** Latest end of a point of any forgotten series: a series that comes back begins after it. */
  #floorMs: number | undefined;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#series.size + this.#overflow.size;
  }

  /** In the order of creation. */
  all(): readonly Series[] {
    return [...this.#series.values(), ...this.#overflow.values()];
  }

  /** Counts an instance, or counts why it is dropped. */
  fold(instance: MetricInstance): void {
    const { metrics, counters, clock } = this.#options;
    const { name, type, value } = instance;
    if (!Number.isFinite(value)) return counters.dropped(name, "not_finite");
    if (type === "counter" && value < 0) return counters.dropped(name, "negative");
    const series = this.#seriesFor(metrics.metricFor(instance), instance);
    if (series.metric.valueType === "INT64" && !Number.isInteger(value)) {
      const message =
        "an int64 metric was given a fraction; name it in valueTypes as double to keep fractions";
      counters.warnOnce(`fraction ${name}`, message, { metric: name });
    }
    if (!series.add(value, clock.monotonicMs())) counters.dropped(name, "out_of_range");
  }

  /** Forgets series that have been idle for `expireAfterMs`, unless they have reports that can still be written. */
  expire(): void {
    const { clock, expireAfterMs, counters } = this.#options;
    const idleSinceMs = clock.monotonicMs() - expireAfterMs;
    for (const table of [this.#series, this.#overflow])
      for (const [identity, series] of table) {
        if (series.lastUsedMs > idleSinceMs || (series.isChanged && !series.isRefused)) continue;
        if (series.isChanged) counters.dropped(series.metric.name, "refused");
        table.delete(identity);
        this.#raiseFloor(series);
      }
  }

  #seriesFor(metric: Metric, { labels }: MetricInstance): Series {
    const values = metric.labels.map((label) => cutCharacters(String(labels[label] ?? ""), MAX_VALUE_LENGTH));
    const identity = identityOf(metric, values);
    const found = this.#series.get(identity) ?? this.#overflow.get(identity);
    if (found !== undefined && found.metric.form === metric.form) return found;
    if (found !== undefined) return this.#replace(found, metric, values);
    if (this.#series.size < this.#options.maxSeries) return this.#add(this.#series, metric, values, identity);
    this.#options.counters.overflowed(metric.name);
    return this.#overflowOf(metric);
  }

  #overflowOf(metric: Metric): Series {
    const values = metric.labels.map(() => OVERFLOW);
    const identity = identityOf(metric, values);
    // A client may have sent these very values.
    const found = this.#series.get(identity) ?? this.#overflow.get(identity);
    if (found === undefined) return this.#add(this.#overflow, metric, values, identity);
    return found.metric.form === metric.form ? found : this.#replace(found, metric, values);
  }

  /** The document's type, value type or buckets changed: the series begins again. */
  #replace(old: Series, metric: Metric, labels: readonly string[]): Series {
    if (old.isChanged) this.#options.counters.dropped(old.metric.name, "replaced");
    this.#raiseFloor(old);
    const table = this.#overflow.has(old.identity) ? this.#overflow : this.#series;
    table.delete(old.identity);
    return this.#add(table, metric, labels, old.identity);
  }

  #add(table: Map<string, Series>, metric: Metric, labels: readonly string[], identity: string): Series {
    const { clock } = this.#options;
    const parts = { identity, metric, labels, lastUsedMs: clock.monotonicMs() };
    const series = new Series(parts, clock.nowMs(), this.#floorMs);
    table.set(identity, series);
    return series;
  }

  #raiseFloor({ times: { lastEndMs } }: Series): void {
    if (lastEndMs !== undefined) this.#floorMs = Math.max(this.#floorMs ?? lastEndMs, lastEndMs);
  }
}

/**
 * Text that only equal series share: each value is preceded by its length. Keys are sorted, and empty values left out, because
 * Cloud Monitoring knows no order of labels and takes an empty value for an absent one.
 */
function identityOf({ type, keys, sorted }: Metric, values: readonly string[]): string {
  let identity = type;
  for (const index of sorted) {
    const value = values[index] as string;
    if (value !== "") identity += `\n${keys[index]} ${value.length} ${value}`;
  }
  return identity;
}
