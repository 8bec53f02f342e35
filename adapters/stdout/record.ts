// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  LogEntryInstance,
  MetricInstance,
  Severity,
  TraceSpanInstance,
} from "../../plugins/sdk/index.ts";

/** One line before formatting, with its fields in the order of writing. */
export interface OutputRecord {
  /** ISO 8601 in UTC; null for an invalid time. */
  readonly time: string | null;
  readonly severity: Severity;
  readonly name: string;
  /** A key that is one of the record's own fields is written with a `_` before it. Absent values are left out. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function recordOfLogEntry(entry: LogEntryInstance): OutputRecord {
  return {
    time: isoTime(entry.timestampMs),
    severity: entry.severity,
    name: entry.name,
    fields: entry.variables,
  };
}

export function recordOfMetric(metric: MetricInstance): OutputRecord {
  return {
    time: isoTime(metric.timestampMs),
    severity: "INFO",
    name: metric.name,
    fields: { type: metric.type, value: metric.value, unit: metric.unit, labels: metric.labels },
  };
}

export function recordOfSpan(span: TraceSpanInstance): OutputRecord {
  return {
    time: isoTime(span.startMs),
    severity: "INFO",
    name: span.name,
    fields: {
      spanName: span.spanName,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      kind: span.clientSpan ? "client" : "server",
      durationMs: span.endMs - span.startMs,
      httpStatusCode: span.httpStatusCode,
      tags: span.tags,
    },
  };
}

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

/** The last time that was written: the requests of one millisecond share it, and a Date takes 1 µs. */
const last: { epochMs: number; text: string | null } = { epochMs: Number.NaN, text: null };

function isoTime(epochMs: number): string | null {
  if (epochMs !== last.epochMs) {
    last.epochMs = epochMs;
    last.text = Math.abs(epochMs) <= MAX_TIME_MS ? new Date(epochMs).toISOString() : null;
  }
  return last.text;
}
