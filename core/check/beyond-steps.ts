// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import type { BeyondStep, QuotaCharge } from "../quota/quota-charge.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import type { DecisionBuilder } from "./decision-builder.ts";
import { Fault } from "./evaluation.ts";
import type { Placed, PlacedQuota } from "./plan.ts";
import { evaluateDrawn } from "./quota-charges.ts";

/**
 * The charge with the steps of its policy, filled in for this request. All of them are evaluated with the
 * decision, so that its reads cover them, and a cached decision carries all that a proxy needs.
 */
export function withBeyond(
  charge: QuotaCharge,
  planned: PlacedQuota["beyond"],
  builder: DecisionBuilder,
): MaybePromise<QuotaCharge> {
  const steps: BeyondStep[] = [];
  const filled = reduceInOrder(planned, steps, (_, step) => {
    if (step.kind !== "draw") {
      steps.push(step);
      return steps;
    }
    return chain(drawOn(step.policy, charge, builder), (drawn) => {
      if (drawn !== undefined) steps.push(drawn);
      return steps;
    });
  });
  return chain(filled, () => (steps.length === 0 ? charge : { ...charge, beyond: steps }));
}

/**
 * The charge on another policy's quota: its own key, limit, window and store; the amount, and how the end of
 * the request settles it, are those of the policy that draws. Undefined when the other policy cannot be
 * evaluated: drawing on it does not help then.
 */
function drawOn(
  { document, ref }: Placed<QuotaPolicy>,
  { amount, giveBackOn, settlement }: QuotaCharge,
  builder: DecisionBuilder,
): MaybePromise<BeyondStep | undefined> {
  return chain(evaluateDrawn(document, amount, builder.scope), (evaluated) => {
    if (evaluated instanceof Fault) {
      builder.note(ref, evaluated);
      return undefined;
    }
    const { giveBackOn: _, settlement: __, ...charge } = evaluated;
    return {
      kind: "draw",
      charge: {
        ...charge,
        ...(giveBackOn === undefined ? {} : { giveBackOn }),
        ...(settlement === undefined ? {} : { settlement }),
      },
    };
  });
}
