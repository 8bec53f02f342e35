// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { AccessPolicy, QuotaPolicy, Rule, Snapshot } from "../snapshot/snapshot.ts";
import type { DocumentRef } from "./document-ref.ts";
import { planBeyond, type PlannedStep } from "./plan-beyond.ts";
import { PolicySelection, type Selectable } from "./selection/policy-selection.ts";

/** The documents of a snapshot that decide checks, by step of the decision. Planned once per snapshot. */
export interface CheckPlan {
  readonly deny: readonly Placed<AccessPolicy>[];
  readonly rules: readonly Placed<Rule>[];
  readonly allow: readonly Placed<AccessPolicy>[];
  readonly audit: readonly Placed<AccessPolicy>[];
  /** Without the policies that are only drawn on. */
  readonly quotas: readonly PlacedQuota[];
  /**
   * The plan of an edge that only passes requests on to sidecars, which decide the rest: AuthorizationPolicies alone.
   * Absent when there are none.
   */
  readonly gateways?: CheckPlan;
  /**
   * Indexes of the documents that may match a request, so that the time of a check hardly depends on their
   * number. Absent: every document is evaluated for each request, as explanations need.
   */
  readonly selections?: Readonly<Record<Sort, PolicySelection>>;
}

export type Sort = "deny" | "rules" | "allow" | "audit" | "quotas";

/** A document with its position among all documents of its snapshot. */
export interface Placed<T> {
  readonly document: T;
  readonly ref: DocumentRef;
  readonly order: number;
}

export interface PlacedQuota extends Placed<QuotaPolicy> {
  readonly beyond: readonly PlannedStep<Placed<QuotaPolicy>>[];
}

export type CheckDocuments = Pick<Snapshot, "documents" | "accessPolicies" | "quotaPolicies" | "rules">;

export function planChecks(snapshot: CheckDocuments): CheckPlan {
  const orders = new Map(snapshot.documents.map(({ location }, index) => [placeOf(location), index]));
  const place = <T extends Authorizing & { readonly name: string; readonly location: SourceLocation }>(
    kind: string,
    documents: readonly T[],
  ): Placed<T>[] =>
    documents.map((document) => ({
      document,
      ref: { kind: document.authorization === true ? "AuthorizationPolicy" : kind, name: document.name },
      order: orders.get(placeOf(document.location)) ?? Number.MAX_SAFE_INTEGER,
    }));
  const policies = place("AccessPolicy", snapshot.accessPolicies);
  const quotas = place("QuotaPolicy", snapshot.quotaPolicies);
  const quotasByName = new Map(quotas.map((quota) => [quota.document.name, quota]));
  const sorts = {
    deny: policies.filter(({ document }) => document.action === "DENY"),
    allow: policies.filter(({ document }) => document.action === "ALLOW"),
    audit: policies.filter(({ document }) => document.action === "AUDIT"),
    rules: place(
      "Rule",
      snapshot.rules.filter((rule) => rule.variety === "check"),
    ),
    quotas: quotas
      .filter(({ document }) => document.spec.match !== false)
      .map((quota) => ({ ...quota, beyond: planBeyond(quota.document, quotasByName) })),
  };
  const plan = withSelections(sorts);
  const authorizes = ({ document }: Placed<Authorizing>): boolean => document.authorization === true;
  if (![...policies, ...sorts.rules].some(authorizes)) return plan;
  const gateways = withSelections({
    deny: sorts.deny.filter(authorizes),
    allow: sorts.allow.filter(authorizes),
    audit: sorts.audit.filter(authorizes),
    rules: sorts.rules.filter(authorizes),
    quotas: [],
  });
  return { ...plan, gateways };
}

interface Authorizing {
  readonly authorization?: true;
}

function withSelections(sorts: Pick<CheckPlan, Sort>): CheckPlan {
  const selectionOf = (placed: readonly Placed<Selectable>[]): PolicySelection =>
    new PolicySelection(placed.map(({ document }) => document));
  const selections = {
    deny: selectionOf(sorts.deny),
    allow: selectionOf(sorts.allow),
    audit: selectionOf(sorts.audit),
    rules: selectionOf(sorts.rules),
    quotas: selectionOf(sorts.quotas),
  };
  return { ...sorts, selections };
}

function placeOf({ file, line, column }: SourceLocation): string {
  return `${line}:${column}:${file}`;
}
