// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  Exemplar,
  ExposedFamily,
  ExposedHistogram,
  ExposedSeries,
  FamilyType,
  NativeHistogram,
} from "./family.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

// The messages of io/prometheus/client/metrics.proto, by field number.

const TYPES: Readonly<Record<FamilyType, number>> = {
  counter: 0,
  gauge: 1,
  summary: 2,
  untyped: 3,
  histogram: 4,
};
const FAMILY = { name: 1, help: 2, type: 3, metric: 4 };
const METRIC = { label: 1, gauge: 2, counter: 3, summary: 4, untyped: 5, timestampMs: 6, histogram: 7 };
const PAIR = { name: 1, value: 2 };
/** Counter, Gauge and Untyped. */
const VALUE = { value: 1, exemplar: 2, created: 3 };
const SUMMARY = { count: 1, sum: 2, quantile: 3, created: 4 };
const QUANTILE = { quantile: 1, value: 2 };
const HISTOGRAM = {
  count: 1,
  sum: 2,
  bucket: 3,
  schema: 5,
  zeroThreshold: 6,
  zeroCount: 7,
  negativeSpan: 9,
  negativeDelta: 10,
  positiveSpan: 12,
  positiveDelta: 13,
  created: 15,
};
const BUCKET = { count: 1, bound: 2, exemplar: 3 };
const SPAN = { offset: 1, length: 2 };
const EXEMPLAR = { label: 1, value: 2, timestamp: 3 };
const TIMESTAMP = { seconds: 1, nanos: 2 };

/** The protobuf format: a message MetricFamily for each family, each after its length. */
export class ProtobufEncoder {
  readonly #writer = new ProtobufWriter();

  /**
   * The beginning of a family's message, with its length, when all its series have been taken.
   *
   * @param seriesBytes Length of all its series, as `take` returned them.
   */
  head({ name, type, help }: ExposedFamily, seriesBytes: number): Uint8Array {
    const writer = this.#writer;
    writer.text(FAMILY.name, name);
    if (help !== undefined) writer.text(FAMILY.help, help);
    writer.uint(FAMILY.type, TYPES[type]);
    const fields = writer.take();
    writer.varint(fields.length + seriesBytes);
    const length = writer.take();
    const head = new Uint8Array(length.length + fields.length);
    head.set(length);
    head.set(fields, length.length);
    return head;
  }

  /** Length of the series that were added since the last `take`. */
  get length(): number {
    return this.#writer.length;
  }

  /** Adds one series, as a field of its family's message. */
  add({ type }: ExposedFamily, series: ExposedSeries): void {
    this.#writer.message(FAMILY.metric, () => this.#metric(type, series));
  }

  /** The series that were added since the last call. */
  take(): Uint8Array {
    return this.#writer.take();
  }

  #metric(type: FamilyType, series: ExposedSeries): void {
    const { labelNames, labels, value = Number.NaN, histogram, timestampMs } = series;
    const writer = this.#writer;
    this.#pairs(METRIC.label, labelNames, labels);
    if (histogram !== undefined)
      writer.message(METRIC.histogram, () => this.#histogram(histogram, series.createdMs));
    else if (series.summary !== undefined) writer.message(METRIC.summary, () => this.#summary(series));
    else if (type === "counter") {
      writer.message(METRIC.counter, () => {
        writer.double(VALUE.value, value);
        this.#exemplar(VALUE.exemplar, series.exemplar);
        this.#time(VALUE.created, series.createdMs);
      });
    } else {
      const field = type === "gauge" ? METRIC.gauge : METRIC.untyped;
      writer.message(field, () => writer.double(VALUE.value, value));
    }
    if (timestampMs !== undefined) writer.uint(METRIC.timestampMs, timestampMs);
  }

  #histogram(histogram: ExposedHistogram, createdMs: number | undefined): void {
    const { bounds, counts, sum, count, exemplars, native } = histogram;
    const writer = this.#writer;
    if (count !== undefined) writer.uint(HISTOGRAM.count, count);
    if (sum !== undefined) writer.double(HISTOGRAM.sum, sum);
    let cumulative = 0;
    for (const [index, bound] of bounds.entries()) {
      cumulative += counts[index] ?? 0;
      writer.message(HISTOGRAM.bucket, () => {
        writer.uint(BUCKET.count, cumulative);
        writer.double(BUCKET.bound, bound);
        this.#exemplar(BUCKET.exemplar, exemplars?.[index]);
      });
    }
    if (native !== undefined) this.#native(native());
    this.#time(HISTOGRAM.created, createdMs);
  }

  #native({ schema, zeroThreshold, zeroCount, positive, negative }: NativeHistogram): void {
    const writer = this.#writer;
    writer.sint(HISTOGRAM.schema, schema);
    writer.double(HISTOGRAM.zeroThreshold, zeroThreshold);
    writer.uint(HISTOGRAM.zeroCount, zeroCount);
    for (const { buckets, span, delta } of [
      { buckets: negative, span: HISTOGRAM.negativeSpan, delta: HISTOGRAM.negativeDelta },
      { buckets: positive, span: HISTOGRAM.positiveSpan, delta: HISTOGRAM.positiveDelta },
    ]) {
      for (let index = 0; index < buckets.spans.length; index += 2) {
        writer.message(span, () => {
          writer.sint(SPAN.offset, buckets.spans[index] as number);
          writer.uint(SPAN.length, buckets.spans[index + 1] as number);
        });
      }
      for (const change of buckets.deltas) writer.sint(delta, change);
    }
  }

  #summary({ summary, createdMs }: ExposedSeries): void {
    const writer = this.#writer;
    if (summary?.count !== undefined) writer.uint(SUMMARY.count, summary.count);
    if (summary?.sum !== undefined) writer.double(SUMMARY.sum, summary.sum);
    for (const { quantile, value } of summary?.quantiles ?? []) {
      writer.message(SUMMARY.quantile, () => {
        writer.double(QUANTILE.quantile, quantile);
        writer.double(QUANTILE.value, value);
      });
    }
    this.#time(SUMMARY.created, createdMs);
  }

  #pairs(field: number, names: readonly string[], values: readonly string[]): void {
    const writer = this.#writer;
    for (const [index, name] of names.entries()) {
      writer.message(field, () => {
        writer.text(PAIR.name, name);
        writer.text(PAIR.value, values[index] ?? "");
      });
    }
  }

  #exemplar(field: number, exemplar: Exemplar | undefined): void {
    if (exemplar === undefined) return;
    const { labelNames, labels, value, timestampMs } = exemplar;
    this.#writer.message(field, () => {
      this.#pairs(EXEMPLAR.label, labelNames, labels);
      this.#writer.double(EXEMPLAR.value, value);
      this.#time(EXEMPLAR.timestamp, timestampMs);
    });
  }

  /** A google.protobuf.Timestamp. */
  #time(field: number, timeMs: number | undefined): void {
    if (timeMs === undefined) return;
    const seconds = Math.floor(timeMs / 1_000);
    this.#writer.message(field, () => {
      this.#writer.uint(TIMESTAMP.seconds, seconds);
      this.#writer.uint(TIMESTAMP.nanos, Math.round((timeMs - seconds * 1_000) * 1e6));
    });
  }
}
