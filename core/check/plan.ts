// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { AccessPolicy, QuotaPolicy, Rule, Snapshot } from "../snapshot/snapshot.ts";
import type { DocumentRef } from "./document-ref.ts";
import { PolicySelection, type Selectable } from "./selection/policy-selection.ts";

/** The documents of a snapshot that checks are decided by, sorted by what is decided first. Made once a snapshot. */
export interface CheckPlan {
  readonly deny: readonly Placed<AccessPolicy>[];
  readonly rules: readonly Placed<Rule>[];
  readonly allow: readonly Placed<AccessPolicy>[];
  readonly audit: readonly Placed<AccessPolicy>[];
  readonly quotas: readonly Placed<QuotaPolicy>[];
  /**
   * How to find the documents that a request may concern, so that asking takes no longer among many than among few.
   * Absent: each is asked about each request, so that each can say what it thinks of it, as explanations need.
   */
  readonly selections?: Readonly<Record<Sort, PolicySelection>>;
}

export type Sort = "deny" | "rules" | "allow" | "audit" | "quotas";

/** A document and where it stands among all the documents of its snapshot, of whatever kind. */
export interface Placed<T> {
  readonly document: T;
  readonly ref: DocumentRef;
  readonly order: number;
}

export type CheckDocuments = Pick<Snapshot, "documents" | "accessPolicies" | "quotaPolicies" | "rules">;

export function planChecks(snapshot: CheckDocuments): CheckPlan {
  const orders = new Map(snapshot.documents.map(({ location }, index) => [placeOf(location), index]));
  const place = <T extends { readonly name: string; readonly location: SourceLocation }>(
    kind: string,
    documents: readonly T[],
  ): Placed<T>[] =>
    documents.map((document) => ({
      document,
      ref: { kind, name: document.name },
      order: orders.get(placeOf(document.location)) ?? Number.MAX_SAFE_INTEGER,
    }));
  const policies = place("AccessPolicy", snapshot.accessPolicies);
  const sorts = {
    deny: policies.filter(({ document }) => document.action === "DENY"),
    allow: policies.filter(({ document }) => document.action === "ALLOW"),
    audit: policies.filter(({ document }) => document.action === "AUDIT"),
    rules: place(
      "Rule",
      snapshot.rules.filter((rule) => rule.variety === "check"),
    ),
    quotas: place("QuotaPolicy", snapshot.quotaPolicies),
  };
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
