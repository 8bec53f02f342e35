// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Expression } from "../expressions/expression.ts";
import type { RuleInstance, Snapshot } from "../snapshot/snapshot.ts";
import { logEntrySource, metricSource, ruleInstanceSource, traceSpanSource } from "./instances.ts";
import type { ReportPlan, ReportSource } from "./report-source.ts";

export type ReportDocuments = Pick<Snapshot, "metrics" | "logEntries" | "traceSpans" | "rules">;

export function planReports(snapshot: ReportDocuments): ReportPlan {
  const rules = snapshot.rules.filter((rule) => rule.variety === "report" && rule.mode === "enforce");
  return {
    sources: [
      ...snapshot.metrics.map((document) => ({
        ...sourceOf("Metric", document, document.handlers),
        template: "metric" as const,
        fill: metricSource(document),
      })),
      ...snapshot.logEntries.map((document) => ({
        ...sourceOf("LogEntry", document, document.handlers),
        template: "logentry" as const,
        fill: logEntrySource(document),
      })),
      ...snapshot.traceSpans.map((document) => ({
        ...sourceOf("TraceSpan", document, document.handlers),
        template: "tracespan" as const,
        fill: traceSpanSource(document),
      })),
      ...rules.flatMap((rule) =>
        takersOf(rule.actions).map(({ instance, handlers }) => ({
          ...sourceOf("Rule", rule, handlers),
          template: instance.template,
          fill: ruleInstanceSource(instance),
        })),
      ),
    ],
  };
}

function sourceOf(
  kind: string,
  document: { readonly name: string; readonly match: Expression | undefined },
  handlers: readonly string[],
): Omit<ReportSource, "template" | "fill"> {
  return { ref: { kind, name: document.name }, match: document.match, handlers };
}

/** Each instance of a rule once, with all its handlers, so that it is filled once. */
function takersOf(
  actions: readonly { readonly handler: string; readonly instances: readonly RuleInstance[] }[],
): readonly { readonly instance: RuleInstance; readonly handlers: readonly string[] }[] {
  const takers = new Map<string, { instance: RuleInstance; handlers: string[] }>();
  for (const { handler, instances } of actions) {
    for (const instance of instances) {
      const taker = takers.get(instance.name);
      if (taker === undefined) takers.set(instance.name, { instance, handlers: [handler] });
      else taker.handlers.push(handler);
    }
  }
  return [...takers.values()];
}
