// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { delimitedField, fieldsOf } from "../protobuf.ts";
import { hrTimeOf } from "../time.ts";
import type { PointExemplar } from "./exemplars.ts";

// The official serializers encode no exemplars (@opentelemetry/otlp-transformer 0.223.1). The fields that are missing are added to
// the requests that they wrote; the data points of a request are in the order of its payload.

/** The part of a payload that this module reads. */
interface Payload {
  readonly scopeMetrics: readonly {
    readonly metrics: readonly { readonly dataPoints: readonly Point[] }[];
  }[];
}

interface Point {
  readonly value: unknown;
  readonly exemplars?: readonly PointExemplar[];
}

/** Field numbers of opentelemetry-proto, collector/metrics/v1 and metrics/v1. */
const REQUEST = { resourceMetrics: 1 };
const RESOURCE_METRICS = { scopeMetrics: 2 };
const SCOPE_METRICS = { metrics: 2 };
const METRIC = { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10 };
const DATA = { dataPoints: 1 };
/** The field `exemplars` of a data point, by the field of its metric. */
const EXEMPLARS: Readonly<Record<number, number>> = {
  [METRIC.gauge]: 5,
  [METRIC.sum]: 5,
  [METRIC.histogram]: 8,
  [METRIC.exponentialHistogram]: 11,
};

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** The request, an ExportMetricsServiceRequest in protobuf, with the exemplars of its payload. */
export function withExemplars(request: Uint8Array, payload: Payload): Uint8Array {
  if (!hasExemplars(payload)) return request;
  const points = pointsOf(payload);
  const ofPoint = (data: number) => (point: Uint8Array) => {
    const { exemplars = [] } = points.next().value ?? {};
    const field = EXEMPLARS[data] as number;
    return Buffer.concat([point, ...exemplars.map((one) => delimitedField(field, exemplarBytes(one)))]);
  };
  const ofMetric = (metric: Uint8Array): Uint8Array =>
    rewritten(metric, Object.values(METRIC), (data, field) =>
      rewritten(data, [DATA.dataPoints], ofPoint(field)),
    );
  return rewritten(request, [REQUEST.resourceMetrics], (resource) =>
    rewritten(resource, [RESOURCE_METRICS.scopeMetrics], (scope) =>
      rewritten(scope, [SCOPE_METRICS.metrics], ofMetric),
    ),
  );
}

/** The request in JSON, with the exemplars of its payload. */
export function withJsonExemplars(request: Uint8Array, payload: Payload): Uint8Array {
  if (!hasExemplars(payload)) return request;
  const points = pointsOf(payload);
  const { resourceMetrics } = JSON.parse(Buffer.from(request).toString("utf8")) as JsonRequest;
  for (const { scopeMetrics } of resourceMetrics)
    for (const { metrics } of scopeMetrics)
      for (const metric of metrics)
        for (const name of Object.keys(METRIC) as (keyof typeof METRIC)[])
          for (const point of metric[name]?.dataPoints ?? []) {
            const { exemplars = [] } = points.next().value ?? {};
            if (exemplars.length > 0) point.exemplars = exemplars.map(exemplarJson);
          }
  return Buffer.from(JSON.stringify({ resourceMetrics }));
}

interface JsonRequest {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly Partial<
        Record<keyof typeof METRIC, { readonly dataPoints: readonly { exemplars?: unknown }[] }>
      >[];
    }[];
  }[];
}

function hasExemplars(payload: Payload): boolean {
  for (const { exemplars = [] } of pointsOf(payload)) if (exemplars.length > 0) return true;
  return false;
}

function* pointsOf({ scopeMetrics }: Payload): Generator<Point, undefined> {
  for (const { metrics } of scopeMetrics) for (const { dataPoints } of metrics) yield* dataPoints;
}

/** The message with the content of some of its fields replaced. */
function rewritten(
  message: Uint8Array,
  fields: readonly number[],
  replace: (content: Uint8Array, field: number) => Uint8Array,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { field, value, raw } of fieldsOf(message)) {
    const isReplaced = typeof value !== "number" && fields.includes(field);
    parts.push(isReplaced ? delimitedField(field, replace(value, field)) : raw);
  }
  return Buffer.concat(parts);
}

/** Tags of the fields time_unix_nano (2), as_double (3), span_id (4) and trace_id (5), and the lengths of the ids. */
function exemplarBytes({ ids, value, timestampMs }: PointExemplar): Uint8Array {
  const bytes = Buffer.alloc(46);
  bytes[0] = 0x11;
  bytes.writeBigUInt64LE(nanosOf(timestampMs), 1);
  bytes[9] = 0x19;
  bytes.writeDoubleLE(value, 10);
  bytes[18] = 0x22;
  bytes[19] = SPAN_ID_BYTES;
  bytes.set(ids.subarray(TRACE_ID_BYTES), 20);
  bytes[28] = 0x2a;
  bytes[29] = TRACE_ID_BYTES;
  bytes.set(ids.subarray(0, TRACE_ID_BYTES), 30);
  return bytes;
}

/** In OTLP/JSON, ids are hexadecimal and 64-bit integers are texts. */
function exemplarJson({ ids, value, timestampMs }: PointExemplar): object {
  const hex = Buffer.from(ids).toString("hex");
  return {
    timeUnixNano: String(nanosOf(timestampMs)),
    asDouble: value,
    spanId: hex.slice(2 * TRACE_ID_BYTES),
    traceId: hex.slice(0, 2 * TRACE_ID_BYTES),
  };
}

function nanosOf(epochMs: number): bigint {
  const [seconds, nanos] = hrTimeOf(epochMs);
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}
