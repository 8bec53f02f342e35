// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice, Closed, Expression, ExpressionMap, ExpressionOrLiteral, Handlers, Match } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

export const METRIC_TYPES = ["counter", "gauge", "histogram"] as const;

const MetricSpec = Closed({
  match: Match("response"),
  type: Choice(METRIC_TYPES, "counter adds the value, gauge sets it, histogram observes it."),
  value: ExpressionOrLiteral(
    "response",
    "The amount; requests for which the expression has no value are skipped.",
  ),
  labels: Type.Optional(
    ExpressionMap("response", "Label values by label name; a value that is absent becomes the empty string."),
  ),
  buckets: Type.Optional(
    Type.Array(Type.Number(), {
      minItems: 1,
      description: "Upper bounds of a histogram's buckets, ascending.",
    }),
  ),
  unit: Type.Optional(Type.String({ description: "The value's unit, for information." })),
  help: Type.Optional(Type.String({ description: "One sentence on what is measured." })),
  handlers: Handlers(),
});

export type MetricSpec = Static<typeof MetricSpec>;

export const METRIC = {
  kind: "Metric",
  apiVersions: ["purser.dev/v1"],
  description: "A number recorded for each request.",
  spec: MetricSpec,
  check: checkMetric,
} as const satisfies KindDefinition;

function checkMetric({ type, value, buckets = [] }: MetricSpec): readonly SpecFault[] {
  if (type === "counter" && isNegative(value))
    return [{ path: ["value"], message: "A counter only rises: use a gauge for a value below 0" }];
  if (buckets.length > 0 && type !== "histogram")
    return [{ path: ["buckets"], message: `spec.buckets is for histograms, not for a ${type}` }];
  return buckets.flatMap((bound, index) =>
    index > 0 && bound <= (buckets[index - 1] as number)
      ? [{ path: ["buckets", index], message: "Each bucket's bound must be above the one before it" }]
      : [],
  );
}

/**
 * Whether the value is a literal number below 0; values of expressions are checked when they are reported.
 */
function isNegative(value: MetricSpec["value"]): boolean {
  const number = typeof value === "string" ? Number(value.replace(/[\s()]/g, "")) : value;
  return typeof number === "number" && number < 0;
}

const LogEntrySpec = Closed({
  match: Match("response"),
  severity: Type.Optional(
    Expression({ phase: "response", result: "any" }, 'DEBUG, INFO, WARNING or ERROR; default "INFO".'),
  ),
  variables: ExpressionMap("response", "The entry's fields; a field whose value is absent is left out."),
  handlers: Handlers(),
});

export type LogEntrySpec = Static<typeof LogEntrySpec>;

export const LOG_ENTRY = {
  kind: "LogEntry",
  apiVersions: ["purser.dev/v1"],
  description: "A log record of each request.",
  spec: LogEntrySpec,
} as const satisfies KindDefinition;

const TraceSpanSpec = Closed({
  match: Match("response"),
  name: Type.Optional(
    Expression(
      { phase: "response", result: "any" },
      "The span's name; default the method and the destination service.",
    ),
  ),
  tags: Type.Optional(ExpressionMap("response", "The span's attributes.")),
  handlers: Handlers(),
});

export type TraceSpanSpec = Static<typeof TraceSpanSpec>;

export const TRACE_SPAN = {
  kind: "TraceSpan",
  apiVersions: ["purser.dev/v1"],
  description: "A trace span of each request.",
  spec: TraceSpanSpec,
} as const satisfies KindDefinition;
