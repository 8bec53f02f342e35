// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LogEntrySpec, MetricSpec, TraceSpanSpec } from "../documents/kinds/telemetry.ts";
import type { Fields } from "./fields.ts";
import type { WrittenDocument } from "./policy-document.ts";
import type { LogEntry, Metric, TraceSpan, Unplaced } from "./snapshot.ts";

export function buildMetric({ name, spec }: WrittenDocument<MetricSpec>, fields: Fields): Unplaced<Metric> {
  return {
    name,
    match: fields.optional(spec.match),
    type: spec.type,
    value: fields.computed(spec.value),
    labels: fields.map(spec.labels),
    buckets: spec.buckets,
    unit: spec.unit,
    help: spec.help,
    handlers: handlersOf(spec, fields),
  };
}

export function buildLogEntry(
  { name, spec }: WrittenDocument<LogEntrySpec>,
  fields: Fields,
): Unplaced<LogEntry> {
  return {
    name,
    match: fields.optional(spec.match),
    severity: fields.optional(spec.severity),
    variables: fields.map(spec.variables),
    handlers: handlersOf(spec, fields),
  };
}

export function buildTraceSpan(
  { name, spec }: WrittenDocument<TraceSpanSpec>,
  fields: Fields,
): Unplaced<TraceSpan> {
  return {
    name,
    match: fields.optional(spec.match),
    spanName: fields.optional(spec.name),
    tags: fields.map(spec.tags),
    handlers: handlersOf(spec, fields),
  };
}

/** Each handler once, even when the document names it several times. */
function handlersOf(
  { handlers }: { readonly handlers: readonly string[] },
  fields: Fields,
): readonly string[] {
  return [...new Set(handlers.map((reference) => fields.handler(reference)))];
}
