// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LogEntryInstance, Severity } from "../../plugins/sdk/index.ts";
import { anyValueOf, attributesOf } from "./attributes.ts";
import { isSpanId, isTraceId } from "./ids.ts";
import type { LogRecord, Resource, SpanContext } from "./otlp.ts";
import { SCOPE } from "./resource.ts";
import { hrTimeOf } from "./time.ts";

/** Severity numbers of the logs data model, section "Field: SeverityNumber". */
const SEVERITY_NUMBER: Readonly<Record<Severity, number>> = { DEBUG: 5, INFO: 9, WARNING: 13, ERROR: 17 };

const TRACE_VARIABLES: ReadonlySet<string> = new Set(["trace_id", "span_id"]);
const NONE: ReadonlySet<string> = new Set();

export interface LogRecordOptions {
  readonly resource: Resource;
  /** The variable that becomes the body. */
  readonly bodyVariable: string;
  /** When the record reached the adapter, in milliseconds since 1970. */
  readonly observedMs: number;
}

export function logRecordOf(
  { name, severity, timestampMs, variables }: LogEntryInstance,
  { resource, bodyVariable, observedMs }: LogRecordOptions,
): LogRecord {
  const context = contextOf(variables);
  const body = Object.hasOwn(variables, bodyVariable) ? anyValueOf(variables[bodyVariable]) : undefined;
  const left = new Set(context === undefined ? NONE : TRACE_VARIABLES);
  if (body !== undefined) left.add(bodyVariable);
  return {
    hrTime: hrTimeOf(timestampMs),
    hrTimeObserved: hrTimeOf(observedMs),
    severityNumber: SEVERITY_NUMBER[severity],
    severityText: severity,
    body: (body ?? name) as NonNullable<LogRecord["body"]>,
    eventName: name,
    ...(context === undefined ? {} : { spanContext: context }),
    resource,
    instrumentationScope: SCOPE,
    attributes: attributesOf(variables, left) as LogRecord["attributes"],
    droppedAttributesCount: 0,
  };
}

/** The trace of the entry's variables; undefined unless their ids are valid, which then stay attributes. */
function contextOf({
  trace_id: traceId,
  span_id: spanId,
}: LogEntryInstance["variables"]): SpanContext | undefined {
  if (!isTraceId(traceId)) return undefined;
  if (spanId !== undefined && !isSpanId(spanId)) return undefined;
  return { traceId, spanId: spanId ?? "", traceFlags: 0 };
}
