// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { andThen, describeType, Fault, textOf } from "../check/evaluation.ts";
import { evaluateParameters, mapValues, optionalText, recordIn, recordOf } from "../check/instances.ts";
import type { Expression } from "../expressions/expression.ts";
import type { LogEntry, Metric, RuleInstance, TraceSpan } from "../snapshot/snapshot.ts";
import type { MetricType } from "../templates/instances.ts";
import { SEVERITIES, type Severity } from "../templates/instances.ts";
import { FilledMetric } from "./filled-metric.ts";
import { metricTypeOf } from "../templates/metric-type.ts";
import { Column } from "./column.ts";
import { ColumnRecord } from "./column-record.ts";
import { decisionIn } from "./decision-facts.ts";
import type { ReportScope } from "./report-scope.ts";
import type { Filled, FillInstance } from "./report-source.ts";
import { spanFacts } from "./span-facts.ts";

/** The function that fills a Metric document's instances. */
export function metricSource(metric: Metric): FillInstance {
  const value = new Column(metric.value);
  const labels = new ColumnRecord(metric.labels, labelText);
  return (scope, timeMs) =>
    fillInOrder(value, labels, scope, (given, record) => metricOf(metric, given, record, scope, timeMs));
}

export function logEntrySource({ name, severity, variables }: LogEntry): FillInstance {
  const level = optionalColumn(severity);
  const record = new ColumnRecord(variables, unchanged);
  return (scope, timestampMs) =>
    fillInOrder(level, record, scope, (given, filled) => ({
      name,
      severity: severityOf(given),
      timestampMs,
      variables: filled,
    }));
}

export function traceSpanSource(document: TraceSpan): FillInstance {
  const spanName = optionalColumn(document.spanName);
  const tags = new ColumnRecord(document.tags, unchanged);
  return (scope, timeMs) =>
    fillInOrder(spanName, tags, scope, (given, filled) =>
      spanOf(document.name, given, filled, scope, timeMs),
    );
}

function optionalColumn(expression: Expression | undefined): Column | undefined {
  return expression === undefined ? undefined : new Column({ kind: "expression", expression });
}

/** The instance of a value and a record, which are evaluated in this order; or the first fault. */
function fillInOrder<T>(
  column: Column | undefined,
  record: ColumnRecord<T>,
  scope: ReportScope,
  fill: (value: unknown, record: Readonly<Record<string, T>>) => Filled,
): MaybePromise<Filled> {
  const value = column?.read(scope);
  if (isPromise(value))
    return andThen(value, (given) => andThen(record.fill(scope), (all) => fill(given, all)));
  if (value instanceof Fault) return value;
  const filled = record.fill(scope);
  if (isPromise(filled)) return andThen(filled, (all) => fill(value, all));
  return filled instanceof Fault ? filled : fill(value, filled);
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
          const { type, value = 1, unit, help } = values;
          const labels = mapValues(recordIn(values["labels"]), labelText);
          const fixed = {
            name,
            type: metricTypeOf(type),
            unit: optionalText(unit),
            help: optionalText(help),
          };
          return metricOf(fixed, value, labels, scope, timeMs);
        }
        case "logentry": {
          const variables = present(Object.entries(recordIn(values["variables"])));
          return { name, severity: severityOf(values["severity"]), timestampMs: timeMs, variables };
        }
        case "tracespan": {
          const tags = present(Object.entries(recordIn(values["tags"])));
          return spanOf(name, values["spanName"], tags, scope, timeMs);
        }
        case "decision": {
          // The raw bag behind the view: the instance outlives the request's evaluation.
          const bag = behindView(scope.bag) as AttributeBag;
          const version = snapshot === undefined ? {} : { snapshot };
          return { name, timestampMs: timeMs, ...version, bag, decision: decisionIn(bag) };
        }
        default:
          return undefined;
      }
    });
}

interface FixedMetric {
  readonly name: string;
  readonly type: MetricType;
  readonly buckets?: readonly number[] | undefined;
  readonly unit: string | undefined;
  readonly help: string | undefined;
}

function metricOf(
  { name, type, buckets, unit, help }: FixedMetric,
  value: unknown,
  labels: Readonly<Record<string, string>>,
  scope: ReportScope,
  timestampMs: number,
): Filled {
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) {
    const given = typeof value === "number" ? String(value) : describeType(value);
    return new Fault("PURSER_EXPR_EVALUATION", `the value is ${given} where a number is needed`, true);
  }
  return new FilledMetric(name, type, value, labels, timestampMs, buckets, unit, help, scope.exemplar);
}

function labelText(value: unknown): string {
  return value === undefined ? "" : textOf(value);
}

function unchanged(value: unknown): unknown {
  return value;
}

function spanOf(
  name: string,
  spanName: unknown,
  tags: Readonly<Record<string, unknown>>,
  scope: ReportScope,
  timeMs: number,
): Filled {
  const facts = spanFacts(scope.bag, timeMs);
  if (facts === undefined) return undefined;
  const { defaultName, ...span } = facts;
  return { name, spanName: optionalText(spanName) ?? defaultName, ...span, tags };
}

/** Drops entries without a value. */
function present(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return recordOf(entries.filter(([, value]) => value !== undefined));
}

function severityOf(value: unknown): Severity {
  if (typeof value !== "string") return "INFO";
  const wanted = value.toUpperCase();
  return SEVERITIES.find((severity) => severity === wanted) ?? "INFO";
}
