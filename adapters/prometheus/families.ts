// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock, Logger, MetricInstance } from "../../plugins/sdk/index.ts";
import { firstFree, labelNames, metricName } from "./names.ts";
import { SELF_METRIC_NAMES, type SelfMetrics } from "./self-metrics.ts";
import { createSeriesTable, type SeriesTable } from "./series-table.ts";

/** A metric of a document, as prom-client keeps it. */
export interface FamiliesOptions {
  readonly registry: Registry;
  readonly self: SelfMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly prefix: string;
  readonly maxSeries: number;
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
}

/** The metrics of one handler, each created on its first report. */
export interface Families {
  observe(instance: MetricInstance): void;
  /** Removes the series that have been idle for too long. */
  expire(): void;
  clear(): void;
}

interface Family {
  readonly name: string;
  /** Instances of equal shape share this family. */
  readonly shape: MetricShape;
  readonly series: SeriesTable;
  record(labels: Readonly<Record<string, string>>, value: number): void;
}

interface MetricShape {
  readonly type: MetricInstance["type"];
  readonly labels: readonly string[];
  readonly buckets: readonly number[] | undefined;
  readonly help: string | undefined;
}

export function createFamilies(options: FamiliesOptions): Families {
  const families = new Map<string, Family>();
  const takenNames = new Set<string>(Object.values(SELF_METRIC_NAMES));

  const discard = (key: string, family: Family): void => {
    options.registry.removeSingleMetric(family.name);
    takenNames.delete(family.name);
    families.delete(key);
  };

  const familyFor = (instance: MetricInstance): Family => {
    const existing = families.get(instance.name);
    if (existing !== undefined) {
      if (isOfShape(existing.shape, instance)) return existing;
      // Only the changed metric is reset; the others keep their counts.
      discard(instance.name, existing);
    }
    const name = firstFree(metricName(options.prefix, instance.name), takenNames);
    if (existing === undefined && name !== instance.name) {
      options.logger.debug("metric renamed to Prometheus' form", { metric: instance.name, name });
    }
    const family = makeFamily(name, instance, options);
    takenNames.add(name);
    families.set(instance.name, family);
    return family;
  };

  return {
    observe(instance) {
      if (!Number.isFinite(instance.value)) return options.self.dropped(instance.name, "not_finite");
      if (instance.type === "counter" && instance.value < 0)
        return options.self.dropped(instance.name, "negative");
      const family = familyFor(instance);
      const series = family.series.seriesFor(instance.labels);
      if (series.overflow) options.self.overflowed(instance.name);
      family.record(series.labels, instance.value);
    },
    expire() {
      for (const [key, family] of families) {
        family.series.expire();
        if (family.series.size === 0) discard(key, family);
      }
    },
    clear() {
      for (const [key, family] of families) discard(key, family);
    },
  };
}

function makeFamily(name: string, instance: MetricInstance, options: FamiliesOptions): Family {
  const labels = Object.keys(instance.labels);
  const names = labelNames(labels, instance.type === "histogram" ? new Set(["le"]) : new Set());
  const definition = {
    name,
    help: instance.help ?? `Reported by the Metric document ${instance.name}.`,
    labelNames: [...names],
    registers: [options.registry],
  };
  const { metric, record } = makeMetric(definition, instance);
  return {
    name,
    shape: { type: instance.type, labels, buckets: instance.buckets, help: instance.help },
    record,
    series: createSeriesTable({
      keys: labels,
      names,
      maxSeries: options.maxSeries,
      expireAfterMs: options.expireAfterMs,
      clock: options.clock,
      forget: (gone) => metric.remove(gone),
    }),
  };
}

interface PromDefinition {
  readonly name: string;
  readonly help: string;
  labelNames: string[];
  registers: Registry[];
}

function makeMetric(definition: PromDefinition, { type, buckets, unit }: MetricInstance) {
  switch (type) {
    case "counter": {
      const metric = new Counter(definition);
      return { metric, record: (labels: LabelValues, value: number) => metric.inc(labels, value) };
    }
    case "gauge": {
      const metric = new Gauge(definition);
      return { metric, record: (labels: LabelValues, value: number) => metric.set(labels, value) };
    }
    case "histogram": {
      const metric = new Histogram({ ...definition, buckets: [...(buckets ?? defaultBuckets(unit))] });
      return { metric, record: (labels: LabelValues, value: number) => metric.observe(labels, value) };
    }
  }
}

type LabelValues = Readonly<Record<string, string>>;

/** Default buckets of Prometheus clients, for a latency in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216];

function defaultBuckets(unit: string | undefined): readonly number[] {
  switch (unit) {
    case "ms":
    case "milliseconds":
      return SECONDS.map((bound) => bound * 1000);
    case "bytes":
      return BYTES;
    default:
      return SECONDS;
  }
}

/** Compares field by field without allocating: this runs for every observation. */
function isOfShape(shape: MetricShape, instance: MetricInstance): boolean {
  if (shape.type !== instance.type || shape.help !== instance.help) return false;
  if (shape.buckets !== instance.buckets && !sameNumbers(shape.buckets, instance.buckets)) return false;
  let index = 0;
  for (const label in instance.labels) if (label !== shape.labels[index++]) return false;
  return index === shape.labels.length;
}

function sameNumbers(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a?.length === b?.length && (a ?? []).every((bound, index) => bound === b?.[index]);
}
