// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Expression } from "../../core/expressions/expression.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";

export interface MeasuredDocument {
  readonly kind: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly expressions: readonly Expression[];
}

/** The documents of a snapshot that have expressions, kind by kind. */
export function documentsWithExpressions(snapshot: Snapshot): readonly MeasuredDocument[] {
  const kinds = {
    AccessPolicy: snapshot.accessPolicies,
    QuotaPolicy: snapshot.quotaPolicies,
    Rule: snapshot.rules,
    Metric: snapshot.metrics,
    LogEntry: snapshot.logEntries,
    TraceSpan: snapshot.traceSpans,
  };
  return Object.entries(kinds)
    .flatMap(([kind, documents]) =>
      documents.map((document) => {
        const { file, line } = document.location;
        return { kind, name: document.name, file, line, expressions: expressionsOf(document) };
      }),
    )
    .filter(({ expressions }) => expressions.length > 0);
}

/** All expressions in a compiled document, at any depth. */
export function expressionsOf(value: unknown): readonly Expression[] {
  if (typeof value !== "object" || value === null) return [];
  if (isExpression(value)) return [value];
  return Object.values(value).flatMap(expressionsOf);
}

function isExpression(value: object): value is Expression {
  return typeof (value as { evaluate?: unknown }).evaluate === "function";
}
