// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type LogEntryInstance,
  type MetricInstance,
  toJson,
  type TraceSpanInstance,
} from "../../plugins/sdk/index.ts";

/** The JSON of items as receivers see them. Absent members are left out; NaN and infinite numbers are null. */

export function logEntryItem({ name, severity, timestampMs, variables }: LogEntryInstance): string {
  return jsonOf({ name, time: isoTime(timestampMs), severity, variables });
}

export function metricItem({ timestampMs, ...metric }: MetricInstance): string {
  const { name, type, value, unit, help, labels, buckets } = metric;
  return jsonOf({ name, time: isoTime(timestampMs), type, value, unit, help, labels, buckets });
}

export function traceSpanItem(span: TraceSpanInstance): string {
  const { name, spanName, traceId, spanId, parentSpanId, clientSpan, startMs, endMs } = span;
  return jsonOf({
    name,
    spanName,
    traceId,
    spanId,
    parentSpanId,
    kind: clientSpan ? "client" : "server",
    startTime: isoTime(startMs),
    endTime: isoTime(endMs),
    durationMs: endMs - startMs,
    httpStatusCode: span.httpStatusCode,
    tags: span.tags,
  });
}

function jsonOf(item: object): string {
  return toJson(item) as string;
}

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

/** ISO 8601 in UTC; null for an invalid time. */
function isoTime(epochMs: number): string | null {
  return Math.abs(epochMs) <= MAX_TIME_MS ? new Date(epochMs).toISOString() : null;
}
