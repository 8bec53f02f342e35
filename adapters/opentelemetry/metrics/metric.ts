// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../../../plugins/sdk/index.ts";
import type { Attributes, MetricData } from "../otlp.ts";
import { type HrTime, hrTimeOf } from "../time.ts";
import { Exemplars, type PointExemplar } from "./exemplars.ts";
import { formOf, type PointForm, ucumOf } from "./points.ts";
import { type Series, SeriesTable } from "./series-table.ts";

/** Values of the SDK's DataPointType, AggregationTemporality and ValueType, which are loaded at the first push only. */
const POINT_TYPE = { explicit: 0, exponential: 1, gauge: 2, sum: 3 } as const;
const CUMULATIVE = 1;
const DOUBLE = 1;

export interface MetricOptions {
  /** Whether data points have exemplars. */
  readonly exemplars: boolean;
  readonly maxSeries: number;
  readonly histogram: {
    readonly kind: "explicit" | "exponential";
    readonly maxScale: number;
    readonly maxBuckets: number;
  };
}

/** A data point in the SDK's shape, with its exemplars, which the SDK's shape lacks. */
export type DataPoint = MetricData["dataPoints"][number] & { readonly exemplars?: readonly PointExemplar[] };

/** One metric: the series of the instances of one Metric document. */
export class Metric {
  readonly #shape: Pick<MetricInstance, "name" | "type" | "unit" | "help" | "buckets">;
  readonly #keys: readonly string[];
  readonly #form: PointForm;
  readonly #series: SeriesTable;
  readonly #hasExemplars: boolean;
  /** Whether the log tells of its overflow already. */
  isOverflowLogged = false;

  constructor(instance: MetricInstance, { maxSeries, histogram, exemplars }: MetricOptions) {
    this.#shape = instance;
    this.#keys = Object.keys(instance.labels);
    this.#form = formOf(instance, histogram);
    this.#hasExemplars = exemplars;
    this.#series = new SeriesTable({ keys: this.#keys, form: this.#form, maxSeries });
  }

  /** Returns whether the value was counted in the overflow series. */
  record(instance: MetricInstance, startMs: number, monotonicMs: number): boolean {
    const { labels, value } = instance;
    const series = this.#series.seriesFor(labels, startMs);
    series.point.record(value);
    series.lastMs = monotonicMs;
    if (instance.exemplar !== undefined && this.#hasExemplars) keepExemplar(series, instance);
    return series.isOverflow;
  }

  /** Whether an instance belongs to this metric. Compares without allocating: this runs for every instance. */
  fits({ type, unit, help, buckets, labels }: MetricInstance): boolean {
    const shape = this.#shape;
    if (shape.type !== type || shape.unit !== unit || shape.help !== help) return false;
    if (shape.buckets !== buckets && !sameNumbers(shape.buckets, buckets)) return false;
    let index = 0;
    for (const label in labels) if (label !== this.#keys[index++]) return false;
    return index === this.#keys.length;
  }

  expire(sinceMs: number): void {
    this.#series.expire(sinceMs);
  }

  get isEmpty(): boolean {
    return this.#series.all.size === 0;
  }

  points(timeMs: number): readonly DataPoint[] {
    const endTime = hrTimeOf(timeMs);
    return Array.from(this.#series.all, (series) => {
      // The clock was set back: receivers refuse a point that ends before it starts.
      if (series.startMs > timeMs) series.startMs = timeMs;
      return this.#pointOf(series, endTime);
    });
  }

  /** The metric with some of its points. */
  data(points: readonly DataPoint[]): MetricData {
    const { name, help = "", unit } = this.#shape;
    const data = {
      descriptor: { name, description: help, unit: ucumOf(unit), valueType: DOUBLE },
      aggregationTemporality: CUMULATIVE,
      dataPointType: POINT_TYPE[this.#form.kind],
      isMonotonic: true,
      dataPoints: points,
    };
    return data as unknown as MetricData;
  }

  /** Exemplars are sent once. */
  #pointOf({ values, isOverflow, startMs, point, exemplars }: Series, endTime: HrTime): DataPoint {
    const attributes: Attributes = isOverflow ? { "otel.metric.overflow": true } : this.#attributesOf(values);
    const shared = { startTime: hrTimeOf(startMs), endTime, attributes, value: point.snapshot() };
    return { ...shared, ...(exemplars === undefined ? {} : { exemplars: exemplars.take() }) } as DataPoint;
  }

  /** Null-prototype, so that a label may have any name. OTLP has no attribute with an empty key. */
  #attributesOf(values: readonly string[]): Attributes {
    const attributes = Object.create(null) as Attributes;
    for (const [index, key] of this.#keys.entries())
      if (key !== "") attributes[key] = values[index] as string;
    return attributes;
  }
}

function keepExemplar(series: Series, instance: MetricInstance): void {
  const slot = series.point.exemplarSlot(instance.value);
  if (slot !== undefined) (series.exemplars ??= new Exemplars()).offer(slot, instance);
}

function sameNumbers(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a?.length === b?.length && (a ?? []).every((bound, index) => bound === b?.[index]);
}
