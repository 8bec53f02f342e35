// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, MetricInstance } from "../../../plugins/sdk/index.ts";
import type { MetricData } from "../otlp.ts";
import type { SelfMetrics } from "../self-metrics.ts";
import { type DataPoint, Metric, type MetricOptions } from "./metric.ts";

/** Most data points of one request: receivers of gRPC accept 4 MiB by default, and encoding must not block for long. */
const MAX_POINTS = 1000;

export interface MetricStoreOptions extends MetricOptions {
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly self: SelfMetrics;
}

/** The points of one request, with the metric of each. */
export class PointBatch {
  readonly #entries: readonly (readonly [Metric, DataPoint])[];

  constructor(entries: readonly (readonly [Metric, DataPoint])[]) {
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.length;
  }

  halves(): readonly PointBatch[] {
    const middle = Math.ceil(this.size / 2);
    return [this.#entries.slice(0, middle), this.#entries.slice(middle)].map((part) => new PointBatch(part));
  }

  data(): readonly MetricData[] {
    const byMetric = groupedByMetric(this.#entries);
    return Array.from(byMetric, ([metric, points]) => metric.data(points));
  }
}

/** Folds the instances of all metrics of a handler. */
export class MetricStore {
  readonly #options: MetricStoreOptions;
  readonly #metrics = new Map<string, Metric>();
  /** A series that is created now was zero at the last collection; so no two lives of a series overlap. */
  #startMs: number;
  #isChanged = false;

  constructor(options: MetricStoreOptions) {
    this.#options = options;
    this.#startMs = options.clock.nowMs();
  }

  /** Whether instances were recorded since the last collection. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  record(instance: MetricInstance): void {
    const { self, clock } = this.#options;
    const { name, type, value } = instance;
    if (!Number.isFinite(value)) return self.dropped(name, "not_finite");
    if (type === "counter" && value < 0) return self.dropped(name, "negative");
    this.#isChanged = true;
    const metric = this.#metricFor(instance);
    if (metric.record(instance, this.#startMs, clock.monotonicMs())) this.#overflowed(name, metric);
  }

  /** All points, in batches for one request each. */
  collect(): readonly PointBatch[] {
    const { clock, expireAfterMs } = this.#options;
    const timeMs = clock.nowMs();
    if (expireAfterMs !== undefined) this.#expire(clock.monotonicMs() - expireAfterMs);
    const entries: (readonly [Metric, DataPoint])[] = [];
    for (const metric of this.#metrics.values())
      for (const point of metric.points(timeMs)) entries.push([metric, point]);
    this.#startMs = timeMs;
    this.#isChanged = false;
    const batches: PointBatch[] = [];
    for (let start = 0; start < entries.length; start += MAX_POINTS)
      batches.push(new PointBatch(entries.slice(start, start + MAX_POINTS)));
    return batches;
  }

  /** A metric whose document changed starts anew. */
  #metricFor(instance: MetricInstance): Metric {
    const known = this.#metrics.get(instance.name);
    if (known?.fits(instance) === true) return known;
    const metric = new Metric(instance, this.#options);
    this.#metrics.set(instance.name, metric);
    return metric;
  }

  #overflowed(name: string, metric: Metric): void {
    const { self, logger, maxSeries } = this.#options;
    self.overflowed(name);
    if (metric.isOverflowLogged) return;
    metric.isOverflowLogged = true;
    logger.warn("a metric has reached maxSeries; further label sets are counted in its overflow series", {
      metric: name,
      maxSeries,
    });
  }

  #expire(sinceMs: number): void {
    for (const [name, metric] of this.#metrics) {
      metric.expire(sinceMs);
      if (metric.isEmpty) this.#metrics.delete(name);
    }
  }
}

function groupedByMetric(
  entries: readonly (readonly [Metric, DataPoint])[],
): ReadonlyMap<Metric, readonly DataPoint[]> {
  const groups = new Map<Metric, DataPoint[]>();
  for (const [metric, point] of entries) {
    const group = groups.get(metric);
    if (group === undefined) groups.set(metric, [point]);
    else group.push(point);
  }
  return groups;
}
