// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { cellName } from "../quota/cell-name.ts";
import type { QuotaPolicy, Unplaced } from "../snapshot/snapshot.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { askEach } from "./choose.ts";
import {
  andThen,
  describeType,
  evaluateComputed,
  evaluateCondition,
  evaluateMap,
  evaluateMessage,
  Fault,
  type Scope,
} from "./evaluation.ts";
import { recordOf } from "./instances.ts";
import type { CheckPlan } from "./plan.ts";
import type { DecisionBuilder } from "./decision-builder.ts";

/** The quotas that an allowed request uses, with amounts. Stores count them later. */
export function decideCharges(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  return askEach(plan, "quotas", builder, (policy) =>
    chain(evaluateCondition(policy.document.match, builder.scope), (matched) => {
      if (matched instanceof Fault) return builder.fail(policy, matched);
      if (!matched) return builder.outcome(policy.ref, "unmatched");
      return chain(evaluateCharge(policy.document, builder.scope), (charge) => {
        if (charge instanceof Fault) return builder.fail(policy, charge);
        builder.outcome(policy.ref, "charged");
        builder.charges.push(charge);
      });
    }),
  );
}

/** The charge of a matching request. */
export function evaluateCharge(
  document: Unplaced<QuotaPolicy>,
  scope: Scope,
): MaybePromise<QuotaCharge | Fault> {
  const { name, quota, mode } = document;
  return andThen(evaluateMap(document.key, scope), (key) =>
    andThen(evaluateAmount(document, scope), (amount) =>
      andThen(evaluateLimit(document, scope), (limit) =>
        chain(evaluateMessage(document.message, `quota ${name} is used up`, scope), (message) => ({
          mode,
          cell: cellName(document, recordOf(key)),
          limit,
          amount,
          message,
          // Last: V8 takes many times as long to add properties to a copy.
          ...quota,
        })),
      ),
    ),
  );
}

/** Amounts are rounded up, so that rounding never allows more than the limit. */
function evaluateAmount({ charge }: Pick<QuotaPolicy, "charge">, scope: Scope): MaybePromise<number | Fault> {
  return andThen(evaluateComputed(charge, scope), (value) => {
    if (typeof value === "number" && value >= 0 && Number.isSafeInteger(Math.ceil(value)))
      return Math.ceil(value);
    const given =
      typeof value === "number" ? String(value) : value === undefined ? "nothing" : describeType(value);
    return new Fault(
      "PURSER_EXPR_EVALUATION",
      `the charge is ${given} where a number of at least 0 is needed`,
      true,
    );
  });
}

/** The limit of the first override that is true, otherwise the policy's own. */
function evaluateLimit(
  document: Pick<QuotaPolicy, "limit" | "overrides">,
  scope: Scope,
): MaybePromise<number | Fault> {
  return chain(
    reduceInOrder(document.overrides, undefined as number | Fault | undefined, (found, { when, limit }) =>
      found !== undefined
        ? found
        : andThen(evaluateCondition(when, scope), (held) => (held ? limit : undefined)),
    ),
    (found) => found ?? document.limit,
  );
}
