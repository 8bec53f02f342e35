// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StandalonePolicy } from "../snapshot/standalone-policies.ts";
import type { AccessPolicy, QuotaPolicy, Rule } from "../snapshot/snapshot.ts";

type Governing =
  | Pick<AccessPolicy, "action" | "onError">
  | Pick<QuotaPolicy, "onError">
  | Pick<Rule, "onError">;

/**
 * What it means for a request that a document which governs it could not be decided. An AUDIT policy never refuses, and so
 * not then either.
 */
export function effectOfError(document: Governing): "deny" | "allow" {
  return "action" in document && document.action === "AUDIT" ? "allow" : document.onError;
}

/** What it means for a request that a policy governs that the mixer cannot be asked; `local`: the quota is counted here. */
export function effectOfOutage(policy: StandalonePolicy): "deny" | "allow" | "local" {
  return policy.kind === "QuotaPolicy" ? policy.quota.onStoreFailure : effectOfError(policy);
}
