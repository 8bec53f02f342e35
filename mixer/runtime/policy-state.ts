// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckPlan, Placed } from "../../core/check/plan.ts";
import type { PolicyDocument } from "../../core/snapshot/policy-document.ts";
import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";

interface Ordered {
  readonly order: number;
  readonly policy: PolicyDocument;
}

/** The documents of a plan's enforced policies, in document order. */
export function policyDocumentsOf(plan: CheckPlan): readonly PolicyDocument[] {
  const all: readonly Ordered[] = [
    ...enforced("AccessPolicy", [...plan.deny, ...plan.allow, ...plan.audit]),
    ...enforced("Rule", plan.rules),
    ...enforced("QuotaPolicy", plan.quotas),
  ];
  return all.toSorted((a, b) => a.order - b.order).map(({ policy }) => policy);
}

interface Policy<Spec> {
  readonly name: string;
  readonly spec: Spec;
  readonly mode: EnforcementMode;
  readonly authorization?: true;
}

function enforced<Kind extends PolicyDocument["kind"], Spec>(
  kind: Kind,
  placed: readonly Placed<Policy<Spec>>[],
) {
  return placed
    .filter(({ document }) => document.mode === "enforce")
    .map(({ order, document: { name, spec, authorization } }) => ({
      order,
      policy: { kind, name, spec, ...(authorization === undefined ? {} : { authorization }) },
    }));
}
