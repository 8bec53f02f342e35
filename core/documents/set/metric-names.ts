// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic, SourceLocation } from "../../../kernel/diagnostic.ts";
import type { MetricType } from "../../templates/instances.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { type NamedMetric, ruleMetrics } from "./rule-metrics.ts";
import { displayName } from "../kinds/kind.ts";
import { METRIC, type MetricSpec } from "../kinds/telemetry.ts";

/**
 * Suffixes of a metric's additional series, by type: prometheus.io/docs/instrumenting/exposition_formats for
 * histograms; OpenMetrics 1.0, section 5.1, for `_total` and `_created`. A metric with such a name would
 * collide, and the series reported later would be missing from the page.
 */
const SUFFIXES: Readonly<Record<MetricType, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count", "_created"],
  counter: ["_total", "_created"],
  gauge: [],
};

/** The suffix of a counter's sample; OpenMetrics names its family without it. */
const COUNTER_SUFFIX = "_total";

/** Prefix of the program's own metrics. */
const OWN_PREFIX = "purser_";

/**
 * Reports metrics, of Metric documents and of Rules' instances, whose series collide with those of another metric or of the program.
 * Metrics of different handlers, too, since all of a mixer's handlers are served on one page. Rules may share a metric of one name
 * and type.
 */
export function faultsOfMetricNames(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const metrics = [...documentsOf(documents, METRIC).map(documentMetric), ...ruleMetrics(documents)];
  const owners = ownersOf(metrics);
  const firsts = new Map<string, NamedMetric>();
  return metrics.flatMap((metric) => {
    const name = seriesName(metric);
    const first = firsts.get(name) ?? metric;
    firsts.set(name, first);
    const message = collision(metric, name, owners.get(name), first);
    const { document, path } = metric;
    return message === undefined ? [] : [faultAt(document, "PURSER_DOC_INVALID_VALUE", path, message)];
  });
}

function documentMetric(document: ParsedDocument): NamedMetric {
  const { metadata, spec, location } = document;
  const { type } = spec as MetricSpec;
  return { document, path: ["metadata", "name"], location, name: displayName(metadata), type };
}

/** @param first The first metric with this name in Prometheus' form. */
function collision(
  metric: NamedMetric,
  name: string,
  owner: NamedMetric | undefined,
  first: NamedMetric,
): string | undefined {
  if (owner !== undefined)
    return `${name} is a name of the ${owner.type} ${owner.name}, at ${placeOf(owner.location)}: rename one of them`;
  if (first.name !== metric.name)
    return `${metric.name} and ${first.name}, at ${placeOf(first.location)}, are both ${name} in Prometheus: rename one of them`;
  const { type } = metric;
  // Two Metric documents of one name are reported as duplicates.
  const isOfRule = metric.document.definition.kind !== METRIC.kind;
  if (isOfRule && type !== undefined && first.type !== undefined && type !== first.type)
    return `${metric.name} is a ${type} here, and a ${first.type} at ${placeOf(first.location)}: rename one of them`;
  if (!name.startsWith(OWN_PREFIX)) return undefined;
  return `Names that begin with ${OWN_PREFIX} are Purser's own: choose another name`;
}

/** The metrics by the names that they have in the formats of Prometheus, besides their own. */
function ownersOf(metrics: readonly NamedMetric[]): ReadonlyMap<string, NamedMetric> {
  const owners = new Map<string, NamedMetric>();
  for (const metric of metrics) {
    const suffixes = metric.type === undefined ? [] : SUFFIXES[metric.type];
    for (const suffix of suffixes) {
      const name = `${seriesName(metric)}${suffix}`;
      owners.set(name, owners.get(name) ?? metric);
    }
  }
  for (const metric of metrics) {
    const name = seriesName(metric);
    // A counter that collides with another is reported once.
    if (metric.type !== "counter" || !name.endsWith(COUNTER_SUFFIX) || owners.has(name)) continue;
    const family = name.slice(0, -COUNTER_SUFFIX.length);
    for (const other of [family, `${family}_created`]) owners.set(other, owners.get(other) ?? metric);
  }
  return owners;
}

function placeOf({ file, line, column }: SourceLocation): string {
  return `${file}:${line}:${column}`;
}

/** A metric's name in Prometheus' form, without a handler's prefix: other characters become `_`. */
function seriesName({ name }: NamedMetric): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_");
}
