// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../../../plugins/sdk/index.ts";
import type { StackdriverConfig } from "../config.ts";
import type { Counters } from "../counters.ts";
import type { Origin } from "../resource.ts";
import { bucketBounds } from "./bounds.ts";
import { firstFree, labelKeysOf, metricTypeOf, unitOf } from "./names.ts";

/** A Metric document as Cloud Monitoring sees it. */
export interface Metric {
  /** The document's name. */
  readonly name: string;
  /** Such as `custom.googleapis.com/purser/requests_total`. */
  readonly type: string;
  readonly kind: "CUMULATIVE" | "GAUGE";
  readonly valueType: "INT64" | "DOUBLE" | "DISTRIBUTION";
  /** The document's labels, in order. */
  readonly labels: readonly string[];
  /** The key of each label. */
  readonly keys: readonly string[];
  /** Indexes of `keys`, in the order of the keys. */
  readonly sorted: readonly number[];
  /** Bounds of a distribution. */
  readonly bounds: readonly number[];
  readonly unit: string | undefined;
  readonly help: string | undefined;
  /** Series of one type and equal labels continue each other when their metrics have the same form. */
  readonly form: string;
}

/** Maximum number of labels of a descriptor (cloud.google.com/monitoring/quotas). */
const MAX_LABELS = 30;
const MAX_TYPE_LENGTH = 200;

/** The shape of a document's instances, with the metric that was made for it. */
interface Known {
  readonly instance: Pick<MetricInstance, "type" | "buckets" | "unit" | "help">;
  readonly labels: readonly string[];
  readonly metric: Metric;
}

/** The metrics of one handler, each made at its first report, and made anew when its document changes. */
export class MetricBook {
  readonly #config: Pick<StackdriverConfig, "metricPrefix" | "valueTypes">;
  readonly #fixedKeys: readonly string[];
  readonly #counters: Counters;
  readonly #known = new Map<string, Known>();
  /** Document by type: two names may differ in characters that a type cannot have. */
  readonly #types = new Map<string, string>();

  constructor(
    config: Pick<StackdriverConfig, "metricPrefix" | "valueTypes">,
    origin: Pick<Origin, "metricLabels">,
    counters: Counters,
  ) {
    this.#config = config;
    this.#fixedKeys = Object.keys(origin.metricLabels);
    this.#counters = counters;
  }

  metricFor(instance: MetricInstance): Metric {
    const known = this.#known.get(instance.name);
    if (known !== undefined && isOfShape(known, instance)) return known.metric;
    const { type, buckets, unit, help } = instance;
    const made = {
      instance: { type, buckets, unit, help } as Known["instance"],
      labels: Object.keys(instance.labels),
    };
    const metric = this.#make(instance, made.labels);
    this.#known.set(instance.name, { ...made, metric });
    return metric;
  }

  #make(instance: MetricInstance, all: readonly string[]): Metric {
    const { name, type, unit, help } = instance;
    const labels = all.slice(0, MAX_LABELS - this.#fixedKeys.length);
    if (labels.length < all.length) {
      const message =
        "a metric has more labels than Cloud Monitoring takes; series that differ in the others are one";
      this.#counters.warnOnce(`labels ${name}`, message, { metric: name, kept: labels.length });
    }
    const valueType = type === "histogram" ? "DISTRIBUTION" : this.#valueTypeOf(instance);
    const kind = type === "gauge" ? "GAUGE" : "CUMULATIVE";
    const bounds = type === "histogram" ? bucketBounds(instance) : [];
    const keys = labelKeysOf(labels, this.#fixedKeys);
    return {
      name,
      type: this.#typeOf(name),
      kind,
      valueType,
      labels,
      keys,
      sorted: [...keys.keys()].toSorted((a, b) => ((keys[a] as string) < (keys[b] as string) ? -1 : 1)),
      bounds,
      unit: unitOf(unit),
      help,
      form: `${kind} ${valueType} ${bounds.join(" ")}`,
    };
  }

  #typeOf(name: string): string {
    const used = { has: (type: string) => (this.#types.get(type) ?? name) !== name };
    const type = firstFree(metricTypeOf(this.#config.metricPrefix, name), MAX_TYPE_LENGTH, used);
    this.#types.set(type, name);
    return type;
  }

  #valueTypeOf({ name, type, unit }: MetricInstance): "INT64" | "DOUBLE" {
    const { valueTypes } = this.#config;
    const stated = Object.hasOwn(valueTypes, name) ? valueTypes[name] : undefined;
    if (stated !== undefined) return stated === "int64" ? "INT64" : "DOUBLE";
    return type === "counter" && COUNTED_UNITS.has(unitOf(unit) ?? "1") ? "INT64" : "DOUBLE";
  }
}

/** Units of things that are counted, not measured. */
const COUNTED_UNITS: ReadonlySet<string> = new Set(["1", "By"]);

/** Compares field by field without allocating: this runs for every report. */
function isOfShape({ instance: known, labels }: Known, instance: MetricInstance): boolean {
  if (known.type !== instance.type || known.unit !== instance.unit || known.help !== instance.help)
    return false;
  if (known.buckets !== instance.buckets && !sameNumbers(known.buckets, instance.buckets)) return false;
  let index = 0;
  for (const label in instance.labels) if (label !== labels[index++]) return false;
  return index === labels.length;
}

function sameNumbers(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a?.length === b?.length && (a ?? []).every((bound, index) => bound === b?.[index]);
}
