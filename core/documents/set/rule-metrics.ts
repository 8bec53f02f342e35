// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../../../kernel/diagnostic.ts";
import type { MetricType } from "../../templates/instances.ts";
import { metricTypeOf } from "../../templates/metric-type.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import { RULE, type RuleSpec } from "../kinds/handler.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** A metric that documents report. */
export interface NamedMetric {
  readonly document: ParsedDocument;
  /** Place of the name in the document. */
  readonly path: DocumentPath;
  /** The place that faults of other metrics name. */
  readonly location: SourceLocation;
  readonly name: string;
  /** Undefined for a metric whose type is computed for each request. */
  readonly type: MetricType | undefined;
}

/** The metrics of all Rules: the instances of the template metric that a handler gets. A Rule in shadow mode reports none. */
export function ruleMetrics(documents: readonly ParsedDocument[]): readonly NamedMetric[] {
  return documentsOf(documents, RULE).flatMap((document) => {
    const { instances, actions, mode } = document.spec as RuleSpec;
    if (mode === "shadow") return [];
    const used = new Set(actions.flatMap((action) => action.instances));
    return instances.flatMap(({ name, template, params }, index): readonly NamedMetric[] => {
      if (template !== "metric" || !used.has(name)) return [];
      const path = ["spec", "instances", index, "name"];
      const location = document.places.value(path);
      return [{ document, path, location, name, type: typeOf(params?.["type"]) }];
    });
  });
}

/** The type that a literal gives. */
function typeOf(param: unknown): MetricType | undefined {
  if (typeof param !== "string") return metricTypeOf(param);
  const literal = /^\s*(["'])(\w*)\1\s*$/.exec(param)?.[2];
  return literal === undefined ? undefined : metricTypeOf(literal);
}
