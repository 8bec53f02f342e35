// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import {
  andThen,
  describeType,
  evaluate,
  evaluateComputed,
  evaluateMap,
  Fault,
  textOf,
} from "../check/evaluation.ts";
import { evaluateParameters, mapValues, optionalText, recordIn, recordOf } from "../check/instances.ts";
import type { LogEntry, Metric, RuleInstance, TraceSpan } from "../snapshot/snapshot.ts";
import type { MetricInstance, MetricType } from "../templates/instances.ts";
import { SEVERITIES, type Severity } from "../templates/instances.ts";
import { decisionIn } from "./decision-facts.ts";
import type { FillInstance } from "./report-source.ts";
import { spanFacts } from "./span-facts.ts";

/** The function that fills a Metric document's instances. */
export function metricSource(metric: Metric): FillInstance {
  const fixed = {
    name: metric.name,
    type: metric.type,
    ...(metric.buckets === undefined ? {} : { buckets: metric.buckets }),
    ...(metric.unit === undefined ? {} : { unit: metric.unit }),
    ...(metric.help === undefined ? {} : { help: metric.help }),
  };
  return (scope, timeMs) =>
    andThen(evaluateComputed(metric.value, scope), (value) =>
      andThen(evaluateMap(metric.labels, scope), (labels) =>
        metricOf(fixed, value, recordOf(labels), timeMs),
      ),
    );
}

export function logEntrySource(document: LogEntry): FillInstance {
  return (scope, timeMs) =>
    andThen(document.severity === undefined ? undefined : evaluate(document.severity, scope), (severity) =>
      andThen(evaluateMap(document.variables, scope), (variables) => ({
        template: "logentry",
        instance: {
          name: document.name,
          severity: severityOf(severity),
          timestampMs: timeMs,
          variables: present(variables),
        },
      })),
    );
}

export function traceSpanSource(document: TraceSpan): FillInstance {
  return (scope, timeMs) =>
    andThen(document.spanName === undefined ? undefined : evaluate(document.spanName, scope), (spanName) =>
      andThen(evaluateMap(document.tags, scope), (tags) =>
        spanOf(document.name, spanName, present(tags), scope, timeMs),
      ),
    );
}

/**
 * A Rule sets the template's fields directly: `value`, `labels`, `severity`, `variables`, `spanName`, `tags`
 * …
 */
export function ruleInstanceSource(instance: RuleInstance): FillInstance {
  return (scope, timeMs, snapshot) =>
    andThen(evaluateParameters(instance, scope), (values) => {
      const { name } = instance;
      switch (instance.template) {
        case "metric": {
          const fixed = {
            name,
            type: metricTypeOf(values["type"]),
            ...(values["unit"] === undefined ? {} : { unit: textOf(values["unit"]) }),
            ...(values["help"] === undefined ? {} : { help: textOf(values["help"]) }),
          };
          return metricOf(fixed, values["value"] ?? 1, recordIn(values["labels"]), timeMs);
        }
        case "logentry": {
          const variables = present(Object.entries(recordIn(values["variables"])));
          const severity = severityOf(values["severity"]);
          return { template: "logentry", instance: { name, severity, timestampMs: timeMs, variables } };
        }
        case "tracespan": {
          const tags = present(Object.entries(recordIn(values["tags"])));
          return spanOf(name, values["spanName"], tags, scope, timeMs);
        }
        case "decision": {
          // The raw bag behind the view: the instance outlives the request's evaluation.
          const bag = behindView(scope.bag) as AttributeBag;
          const version = snapshot === undefined ? {} : { snapshot };
          const decision = decisionIn(bag);
          return { template: "decision", instance: { name, timestampMs: timeMs, ...version, bag, decision } };
        }
        default:
          return undefined;
      }
    });
}

type FixedMetric = Omit<MetricInstance, "value" | "labels" | "timestampMs">;

function metricOf(
  fixed: FixedMetric,
  value: unknown,
  labels: Readonly<Record<string, unknown>>,
  timestampMs: number,
): ReturnType<FillInstance> {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) {
    const given = typeof value === "number" ? String(value) : describeType(value);
    return new Fault("PURSER_EXPR_EVALUATION", `the value is ${given} where a number is needed`, true);
  }
  return {
    template: "metric",
    instance: {
      ...fixed,
      value,
      labels: mapValues(labels, (label) => optionalText(label) ?? ""),
      timestampMs,
    },
  };
}

function spanOf(
  name: string,
  spanName: unknown,
  tags: Readonly<Record<string, unknown>>,
  scope: Parameters<FillInstance>[0],
  timeMs: number,
): ReturnType<FillInstance> {
  const facts = spanFacts(scope.bag, timeMs);
  if (facts === undefined) return undefined;
  const { defaultName, ...span } = facts;
  return {
    template: "tracespan",
    instance: { name, spanName: optionalText(spanName) ?? defaultName, ...span, tags },
  };
}

/** Drops entries without a value. */
function present(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return recordOf(entries.filter(([, value]) => value !== undefined));
}

function severityOf(value: unknown): Severity {
  const wanted = typeof value === "string" ? value.toUpperCase() : "INFO";
  return SEVERITIES.find((severity) => severity === wanted) ?? "INFO";
}

function metricTypeOf(value: unknown): MetricType {
  return value === "gauge" || value === "histogram" ? value : "counter";
}
