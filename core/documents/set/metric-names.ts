// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { displayName } from "../kinds/kind.ts";
import { METRIC, type MetricSpec } from "../kinds/telemetry.ts";

/**
 * Suffixes of a metric's additional series, by type: prometheus.io/docs/instrumenting/exposition_formats for
 * histograms; OpenMetrics 1.0, section 5.1, for `_total` and `_created`. A metric with such a name would
 * collide, and the series reported later would be missing from the page.
 */
const SUFFIXES: Readonly<Record<MetricSpec["type"], readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count", "_created"],
  counter: ["_total", "_created"],
  gauge: [],
};

/** The suffix of a counter's sample; OpenMetrics names its family without it. */
const COUNTER_SUFFIX = "_total";

/** Prefix of the program's own metrics. */
const OWN_PREFIX = "purser_";

/**
 * Reports metrics whose series collide with those of another metric or of the program. Metrics of different handlers, too, since
 * all of a mixer's handlers are served on one page.
 */
export function faultsOfMetricNames(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const metrics = documentsOf(documents, METRIC);
  const owners = ownersOf(metrics);
  const firsts = new Map<string, ParsedDocument>();
  return metrics.flatMap((metric) => {
    const name = seriesName(metric);
    const first = firsts.get(name) ?? metric;
    firsts.set(name, first);
    const message = collision(metric, name, owners.get(name), first);
    return message === undefined
      ? []
      : [faultAt(metric, "PURSER_DOC_INVALID_VALUE", ["metadata", "name"], message)];
  });
}

/** @param first The first metric with this name in Prometheus' form. */
function collision(
  { metadata }: ParsedDocument,
  name: string,
  owner: ParsedDocument | undefined,
  first: ParsedDocument,
): string | undefined {
  if (owner !== undefined) {
    const { type } = owner.spec as MetricSpec;
    return `${name} is a name of the ${type} ${displayName(owner.metadata)}, at ${placeOf(owner)}: rename one of them`;
  }
  // Two documents of one name are reported as duplicates.
  const other = displayName(first.metadata);
  if (other !== displayName(metadata))
    return `${displayName(metadata)} and ${other}, at ${placeOf(first)}, are both ${name} in Prometheus: rename one of them`;
  if (!name.startsWith(OWN_PREFIX)) return undefined;
  return `Names that begin with ${OWN_PREFIX} are Purser's own: choose another name`;
}

/** The metrics by the names that they have in the formats of Prometheus, besides their own. */
function ownersOf(metrics: readonly ParsedDocument[]): ReadonlyMap<string, ParsedDocument> {
  const owners = new Map<string, ParsedDocument>();
  for (const metric of metrics) {
    for (const suffix of SUFFIXES[(metric.spec as MetricSpec).type])
      owners.set(`${seriesName(metric)}${suffix}`, metric);
  }
  for (const metric of metrics) {
    const name = seriesName(metric);
    // A counter that collides with another is reported once.
    if ((metric.spec as MetricSpec).type !== "counter" || !name.endsWith(COUNTER_SUFFIX) || owners.has(name))
      continue;
    const family = name.slice(0, -COUNTER_SUFFIX.length);
    for (const other of [family, `${family}_created`]) owners.set(other, owners.get(other) ?? metric);
  }
  return owners;
}

function placeOf({ location: { file, line, column } }: ParsedDocument): string {
  return `${file}:${line}:${column}`;
}

/** A metric's name in Prometheus' form, without a handler's prefix: other characters become `_`. */
function seriesName({ metadata }: ParsedDocument): string {
  return displayName(metadata).replace(/[^a-zA-Z0-9_:]/g, "_");
}
