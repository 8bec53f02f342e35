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

/** Prefix of the program's own metrics. */
const OWN_PREFIX = "purser_";

/** Reports metrics whose series collide with those of another metric or of the program. */
export function faultsOfMetricNames(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const metrics = documentsOf(documents, METRIC);
  const owners = new Map<string, ParsedDocument>();
  for (const metric of metrics) {
    for (const suffix of SUFFIXES[(metric.spec as MetricSpec).type])
      owners.set(`${seriesName(metric)}${suffix}`, metric);
  }
  return metrics.flatMap((metric) => {
    const name = seriesName(metric);
    const owner = owners.get(name);
    const message =
      owner !== undefined
        ? clash(name, owner)
        : name.startsWith(OWN_PREFIX)
          ? `Names that begin with ${OWN_PREFIX} are Purser's own: choose another name`
          : undefined;
    return message === undefined
      ? []
      : [faultAt(metric, "PURSER_DOC_INVALID_VALUE", ["metadata", "name"], message)];
  });
}

function clash(name: string, { metadata, location, spec }: ParsedDocument): string {
  const { type } = spec as MetricSpec;
  const { file, line, column } = location;
  return `${name} is a series of the ${type} ${displayName(metadata)}, at ${file}:${line}:${column}: rename one of them`;
}

/** A metric's name in Prometheus' form: other characters become `_`. */
function seriesName({ metadata }: ParsedDocument): string {
  return displayName(metadata).replace(/[^a-zA-Z0-9_:]/g, "_");
}
