// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AccessPolicySpec } from "../documents/kinds/access-policy.ts";
import type { RuleSpec } from "../documents/kinds/handler.ts";
import type { QuotaPolicySpec } from "../documents/kinds/quota-policy.ts";

/** What a document's compiled form is made of. */
export interface WrittenDocument<Spec> {
  /** Display name. */
  readonly name: string;
  /** As the document writes it, without defaults. */
  readonly spec: Spec;
}

/** A policy as its document writes it: the form in which mixers tell proxies of it. */
export type PolicyDocument =
  | ({ readonly kind: "AccessPolicy" } & WrittenDocument<AccessPolicySpec>)
  | ({ readonly kind: "QuotaPolicy" } & WrittenDocument<QuotaPolicySpec>)
  | ({ readonly kind: "Rule" } & WrittenDocument<RuleSpec>);
