// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  DecisionInstance,
  LogEntryInstance,
  MetricInstance,
  TraceSpanInstance,
} from "../../core/templates/instances.ts";
import { createDecisionLine } from "./decision/decision-line.ts";
import { toJson } from "./json.ts";

/** Makes the JSON object of an instance, on one line. */
export interface JsonRecords {
  readonly logentry: (entry: LogEntryInstance) => string;
  readonly metric: (metric: MetricInstance) => string;
  readonly tracespan: (span: TraceSpanInstance) => string;
  readonly decision: (decision: DecisionInstance) => string;
}

/**
 * Report instances as JSON, for backends that take any object. Each object begins with `template`, `time` (ISO 8601 in UTC, null for
 * an invalid time) and `name`. Any instance has a record: see `toJson` for values that JSON cannot represent; absent ones are left out.
 * A decision's record is a line of a decision log besides (docs/reference/decision-log.md): its credentials are redacted.
 *
 * @param redact More attributes to redact in decisions, such as `request.headers.x-session` or `request.query_params.*`.
 */
export function createJsonRecords({ redact }: { readonly redact: readonly string[] }): JsonRecords {
  const lineOf = createDecisionLine({ redact, hash: [], hashKey: "" });
  return {
    logentry: ({ timestampMs, name, severity, variables }) =>
      json({ template: "logentry", time: isoTime(timestampMs), name, severity, variables }),
    metric: ({ timestampMs, name, type, value, unit, labels }) =>
      json({ template: "metric", time: isoTime(timestampMs), name, type, value, unit, labels }),
    tracespan: (span) =>
      json({
        template: "tracespan",
        time: isoTime(span.startMs),
        name: span.name,
        spanName: span.spanName,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        kind: span.clientSpan ? "client" : "server",
        durationMs: span.endMs - span.startMs,
        httpStatusCode: span.httpStatusCode,
        tags: span.tags,
      }),
    decision(decision) {
      const { v, time, name, ...rest } = lineOf(decision);
      // The line is plain JSON already; toJson would cut its texts again.
      return JSON.stringify({ template: "decision", time, name, v, ...rest });
    },
  };
}

function json(record: Readonly<Record<string, unknown>>): string {
  return toJson(record) as string;
}

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

function isoTime(epochMs: number): string | null {
  return Math.abs(epochMs) <= MAX_TIME_MS ? new Date(epochMs).toISOString() : null;
}
