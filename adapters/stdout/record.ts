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
  readonly fields: readonly (readonly [key: string, value: unknown])[];
}

const OWN_FIELDS: ReadonlySet<string> = new Set(["time", "severity", "name"]);

export function recordOfLogEntry(entry: LogEntryInstance): OutputRecord {
  return {
    time: isoTime(entry.timestampMs),
    severity: entry.severity,
    name: entry.name,
    // A variable must not replace one of the record's own fields.
    fields: Object.entries(entry.variables).map(([key, value]) => [
      OWN_FIELDS.has(key) ? `_${key}` : key,
      value,
    ]),
  };
}

export function recordOfMetric(metric: MetricInstance): OutputRecord {
  return {
    time: isoTime(metric.timestampMs),
    severity: "INFO",
    name: metric.name,
    fields: present([
      ["type", metric.type],
      ["value", metric.value],
      ["unit", metric.unit],
      ["labels", metric.labels],
    ]),
  };
}

export function recordOfSpan(span: TraceSpanInstance): OutputRecord {
  return {
    time: isoTime(span.startMs),
    severity: "INFO",
    name: span.name,
    fields: present([
      ["spanName", span.spanName],
      ["traceId", span.traceId],
      ["spanId", span.spanId],
      ["parentSpanId", span.parentSpanId],
      ["kind", span.clientSpan ? "client" : "server"],
      ["durationMs", span.endMs - span.startMs],
      ["httpStatusCode", span.httpStatusCode],
      ["tags", span.tags],
    ]),
  };
}

function present(fields: readonly (readonly [string, unknown])[]): OutputRecord["fields"] {
  return fields.filter(([, value]) => value !== undefined);
}

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

function isoTime(epochMs: number): string | null {
  return Math.abs(epochMs) <= MAX_TIME_MS ? new Date(epochMs).toISOString() : null;
}
