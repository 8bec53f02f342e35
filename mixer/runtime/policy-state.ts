// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Fallback, PolicyState } from "../../api/mixer.ts";
import type { CheckPlan, Placed } from "../../core/check/plan.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import type { AccessPolicy, Computed, QuotaPolicy, Rule } from "../../core/snapshot/snapshot.ts";

/** What each enforced document wants when nobody can be asked, in document order. */
export function fallbacksOf(plan: CheckPlan): PolicyState["fallbacks"] {
  const placed = [
    ...[...plan.deny, ...plan.allow, ...plan.audit].map((policy) => ({
      policy,
      fallback: ofAccessPolicy(policy),
    })),
    ...plan.rules.map((policy) => ({ policy, fallback: ofRule(policy) })),
    ...plan.quotas.map((policy) => ({ policy, fallback: ofQuotaPolicy(policy) })),
  ];
  return placed
    .filter(({ policy }) => policy.document.mode === "enforce")
    .sort((a, b) => a.policy.order - b.policy.order)
    .map(({ fallback }) => fallback);
}

function ofAccessPolicy({ document }: Placed<AccessPolicy>): Fallback {
  // An AUDIT policy never refuses, so that its being undecided refuses nobody either.
  const onError = document.action === "AUDIT" ? "allow" : document.onError;
  return { kind: "AccessPolicy", name: document.name, ...matchOf(document.match), onError };
}

function ofRule({ document }: Placed<Rule>): Fallback {
  return { kind: "Rule", name: document.name, ...matchOf(document.match), onError: document.onError };
}

function ofQuotaPolicy({ document }: Placed<QuotaPolicy>): Fallback {
  const { name, match, key, charge, limit, overrides, onError } = document;
  const { windowMs, algorithm, onStoreFailure } = document.quota;
  return {
    kind: "QuotaPolicy",
    name,
    ...matchOf(match),
    key: Object.fromEntries(key.map(([dimension, value]) => [dimension, sourceOf(value)])),
    charge: sourceOf(charge),
    limit,
    overrides: overrides.map(({ when, limit: other }) => ({ when: when.source, limit: other })),
    windowMs,
    algorithm,
    onStoreFailure,
    onError,
  };
}

function matchOf(match: Expression | undefined): { readonly match?: string } {
  return match === undefined ? {} : { match: match.source };
}

/** As a document writes it: text is an expression, so that literal text is quoted. */
function sourceOf(computed: Computed): string | number | boolean {
  if (computed.kind === "expression") return computed.expression.source;
  return typeof computed.value === "string" ? JSON.stringify(computed.value) : computed.value;
}
