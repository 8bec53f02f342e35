// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, chainWith, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { withBeyond } from "./beyond-steps.ts";
import { askEach } from "./choose.ts";
import type { DecisionBuilder } from "./decision-builder.ts";
import { evaluateCondition, Fault } from "./evaluation.ts";
import type { CheckPlan, PlacedQuota } from "./plan.ts";
import { evaluateCharge } from "./quota-charges.ts";

/** The quotas that an allowed request uses, with amounts. Stores count them later. */
export function decideCharges(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  return askEach(plan, "quotas", builder, chargeIfMatched);
}

function chargeIfMatched(policy: PlacedQuota, builder: DecisionBuilder): MaybePromise<void> {
  return chainWith(evaluateCondition(policy.document.match, builder.scope), chargeMatched, policy, builder);
}

function chargeMatched(
  matched: boolean | Fault,
  policy: PlacedQuota,
  builder: DecisionBuilder,
): MaybePromise<void> {
  if (matched instanceof Fault) return builder.fail(policy, matched);
  if (!matched) return builder.outcome(policy.ref, "unmatched");
  return chainWith(evaluateCharge(policy.document, builder.scope), addCharge, policy, builder);
}

function addCharge(
  charge: QuotaCharge | Fault,
  policy: PlacedQuota,
  builder: DecisionBuilder,
): MaybePromise<void> {
  if (charge instanceof Fault) return builder.fail(policy, charge);
  builder.outcome(policy.ref, "charged");
  if (policy.beyond.length > 0)
    return chain(withBeyond(charge, policy.beyond, builder), (whole) => void builder.charges.push(whole));
  builder.charges.push(charge);
}
