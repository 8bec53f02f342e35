// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../kernel/diagnostic.ts";
import type { AccessPolicy, QuotaPolicy, Rule, Snapshot } from "../snapshot/snapshot.ts";
import type { DocumentRef } from "./decision.ts";

/** The documents of a snapshot that checks are decided by, sorted by what is decided first. Made once a snapshot. */
export interface CheckPlan {
  readonly deny: readonly Placed<AccessPolicy>[];
  readonly rules: readonly Placed<Rule>[];
  readonly allow: readonly Placed<AccessPolicy>[];
  readonly audit: readonly Placed<AccessPolicy>[];
  readonly quotas: readonly Placed<QuotaPolicy>[];
}

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
  return {
    deny: policies.filter(({ document }) => document.action === "DENY"),
    allow: policies.filter(({ document }) => document.action === "ALLOW"),
    audit: policies.filter(({ document }) => document.action === "AUDIT"),
    rules: place(
      "Rule",
      snapshot.rules.filter((rule) => rule.variety === "check"),
    ),
    quotas: place("QuotaPolicy", snapshot.quotaPolicies),
  };
}

function placeOf({ file, line, column }: SourceLocation): string {
  return `${line}:${column}:${file}`;
}
