// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, MetricInstance } from "../../plugins/sdk/index.ts";
import { Family } from "./family.ts";
import { firstFree, labelNames, metricName } from "./names.ts";
import { SELF_METRIC_NAMES, type SelfMetrics } from "./self-metrics.ts";

export interface FamiliesOptions {
  readonly self: SelfMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly prefix: string;
  readonly maxSeries: number;
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
}

/** The family of a Metric document, with the shape of its instances. */
interface Metric {
  readonly shape: MetricShape;
  readonly family: Family;
}

interface MetricShape {
  readonly type: MetricInstance["type"];
  readonly labels: readonly string[];
  readonly buckets: readonly number[] | undefined;
  readonly help: string | undefined;
}

/** The metrics of one handler, each created on its first report. */
export class Families {
  readonly #options: FamiliesOptions;
  readonly #metrics = new Map<string, Metric>();
  readonly #takenNames = new Set<string>(Object.values(SELF_METRIC_NAMES));

  constructor(options: FamiliesOptions) {
    this.#options = options;
  }

  observe(instance: MetricInstance): void {
    const { self } = this.#options;
    const { name, type, value, labels } = instance;
    if (!Number.isFinite(value)) return self.dropped(name, "not_finite");
    if (type === "counter" && value < 0) return self.dropped(name, "negative");
    const metric = this.#metrics.get(name);
    const family =
      metric !== undefined && isOfShape(metric.shape, instance)
        ? metric.family
        : this.#replace(metric, instance);
    if (family.record(labels, value)) self.overflowed(name);
  }

  /** Removes the series that have been idle for too long, and metrics without series. */
  expire(): void {
    for (const [name, { family }] of this.#metrics) {
      family.expire();
      if (family.isEmpty) this.#discard(name, family);
    }
  }

  /** All families in Prometheus' text form, in the order of their first reports. */
  text(): string {
    return [...this.#metrics.values()].map(({ family }) => `\n${family.text()}`).join("");
  }

  clear(): void {
    for (const [name, { family }] of this.#metrics) this.#discard(name, family);
  }

  /** A new family; only the changed metric is reset, the others keep their counts. */
  #replace(metric: Metric | undefined, instance: MetricInstance): Family {
    const { prefix, logger } = this.#options;
    if (metric !== undefined) this.#discard(instance.name, metric.family);
    const name = firstFree(metricName(prefix, instance.name), this.#takenNames);
    if (metric === undefined && name !== instance.name) {
      logger.debug("metric renamed to Prometheus' form", { metric: instance.name, name });
    }
    const made = metricOf(name, instance, this.#options);
    this.#takenNames.add(name);
    this.#metrics.set(instance.name, made);
    return made.family;
  }

  #discard(metric: string, family: Family): void {
    this.#takenNames.delete(family.name);
    this.#metrics.delete(metric);
  }
}

function metricOf(name: string, instance: MetricInstance, options: FamiliesOptions): Metric {
  const { type, buckets, help, unit } = instance;
  const { maxSeries, expireAfterMs, clock } = options;
  const labels = Object.keys(instance.labels);
  const family = new Family({
    name,
    type,
    help: help ?? `Reported by the Metric document ${instance.name}.`,
    keys: labels,
    labelNames: labelNames(labels, type === "histogram" ? new Set(["le"]) : new Set()),
    bounds: type === "histogram" ? (buckets ?? defaultBuckets(unit)) : [],
    maxSeries,
    expireAfterMs,
    clock,
  });
  return { family, shape: { type, labels, buckets, help } };
}

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
