// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ParsedDocument } from "../documents/document.ts";
import type { LogEntrySpec, MetricSpec, TraceSpanSpec } from "../documents/kinds/telemetry.ts";
import type { Fields } from "./fields.ts";
import type { LogEntry, Metric, TraceSpan } from "./snapshot.ts";

export function buildMetric(document: ParsedDocument, fields: Fields): Metric {
  const spec = document.spec as MetricSpec;
  return {
    ...fields.named(document),
    match: fields.optional(spec.match),
    type: spec.type,
    value: fields.computed(spec.value),
    labels: fields.map(spec.labels),
    buckets: spec.buckets,
    unit: spec.unit,
    help: spec.help,
    handlers: handlersOf(spec, document, fields),
  };
}

export function buildLogEntry(document: ParsedDocument, fields: Fields): LogEntry {
  const spec = document.spec as LogEntrySpec;
  return {
    ...fields.named(document),
    match: fields.optional(spec.match),
    severity: fields.optional(spec.severity),
    variables: fields.map(spec.variables),
    handlers: handlersOf(spec, document, fields),
  };
}

export function buildTraceSpan(document: ParsedDocument, fields: Fields): TraceSpan {
  const spec = document.spec as TraceSpanSpec;
  return {
    ...fields.named(document),
    match: fields.optional(spec.match),
    spanName: fields.optional(spec.name),
    tags: fields.map(spec.tags),
    handlers: handlersOf(spec, document, fields),
  };
}

/** Each handler once, however often the document names it. */
function handlersOf(
  { handlers }: { readonly handlers: readonly string[] },
  document: ParsedDocument,
  fields: Fields,
): readonly string[] {
  return [...new Set(handlers.map((reference) => fields.handler(reference, document)))];
}
