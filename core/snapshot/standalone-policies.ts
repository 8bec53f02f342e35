// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CompileExpression } from "../expressions/expression.ts";
import { buildRule } from "./build-handlers.ts";
import { buildAccessPolicy, buildQuotaPolicy } from "./build-policies.ts";
import { Fields } from "./fields.ts";
import { LazyExpression } from "./lazy-expression.ts";
import type { PolicyDocument } from "./policy-document.ts";
import type { AccessPolicy, QuotaPolicy, Rule, Unplaced } from "./snapshot.ts";

/** A compiled policy outside its set, without a location. */
export type StandalonePolicy =
  | ({ readonly kind: "AccessPolicy" } & Unplaced<AccessPolicy>)
  | ({ readonly kind: "QuotaPolicy" } & Unplaced<QuotaPolicy>)
  | ({ readonly kind: "Rule" } & Unplaced<Rule>);

/**
 * Builds policies outside their set, for a proxy without its mixer, with the same builders as a snapshot.
 * Expressions are compiled on first use, once per source. Handlers, which only the mixer runs, keep the names
 * in the documents.
 */
export function buildStandalonePolicies(
  documents: readonly PolicyDocument[],
  compile: CompileExpression,
): readonly StandalonePolicy[] {
  const expressions = new Map<string, LazyExpression>();
  const fields = new Fields({
    expression: (source) => {
      const expression = expressions.get(source) ?? new LazyExpression(source, compile);
      expressions.set(source, expression);
      return expression;
    },
    handler: (reference) => reference,
    quotaPolicy: (reference) => reference,
  });
  return documents.map((document) => buildPolicy(document, fields));
}

function buildPolicy(document: PolicyDocument, fields: Fields): StandalonePolicy {
  const { kind } = document;
  switch (kind) {
    case "AccessPolicy":
      return { kind, ...buildAccessPolicy(document, fields) };
    case "QuotaPolicy":
      return { kind, ...buildQuotaPolicy(document, fields) };
    case "Rule":
      return { kind, ...buildRule(document, fields) };
  }
}
