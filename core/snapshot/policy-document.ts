// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AccessPolicySpec } from "../documents/kinds/access-policy.ts";
import type { RuleSpec } from "../documents/kinds/handler.ts";
import type { QuotaPolicySpec } from "../documents/kinds/quota-policy.ts";

/** The parts of a document that its compiled form is built from. */
export interface WrittenDocument<Spec> {
  /** Display name. */
  readonly name: string;
  /** The spec as written in the document, without defaults. */
  readonly spec: Spec;
  /** The document is an AuthorizationPolicy, and `spec` its translation. Absent: no. */
  readonly authorization?: true;
}

/** A policy as its document writes it; mixers send policies to proxies in this form. */
export type PolicyDocument =
  | ({ readonly kind: "AccessPolicy" } & WrittenDocument<AccessPolicySpec>)
  | ({ readonly kind: "QuotaPolicy" } & WrittenDocument<QuotaPolicySpec>)
  | ({ readonly kind: "Rule" } & WrittenDocument<RuleSpec>);
