// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StandalonePolicy } from "../snapshot/standalone-policies.ts";
import type { AccessPolicy, QuotaPolicy, Rule } from "../snapshot/snapshot.ts";

type Governing =
  | Pick<AccessPolicy, "action" | "onError">
  | Pick<QuotaPolicy, "onError">
  | Pick<Rule, "onError">;

/**
 * The effect of a matching document that could not be evaluated. An AUDIT policy never refuses, not even
 * then.
 */
export function effectOfError(document: Governing): "deny" | "allow" {
  return "action" in document && document.action === "AUDIT" ? "allow" : document.onError;
}

/**
 * The effect of a matching policy while the mixer is unavailable; `local`: the quota is counted by this
 * proxy.
 */
export function effectOfOutage(policy: StandalonePolicy): "deny" | "allow" | "local" {
  return policy.kind === "QuotaPolicy" ? policy.quota.onStoreFailure : effectOfError(policy);
}
