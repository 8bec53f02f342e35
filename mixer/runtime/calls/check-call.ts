// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply, CheckRequest } from "../../../api/mixer.ts";
import { decide } from "../../../core/check/decide.ts";
import type { Decision, QuotaCharge, QuotaOutcome } from "../../../core/check/decision.ts";
import type { CheckContext } from "../../../core/check/ports.ts";
import { explainDecision } from "../../../core/explain/explain-decision.ts";
import { DEFAULT_EXPLANATION_LIMITS, type Explanation } from "../../../core/explain/explanation.ts";
import { createTracer } from "../../../expressions/tracing/traced-expression.ts";
import { chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import type { Generation } from "../active-snapshot.ts";
import type { HandlerHost } from "../handlers/host.ts";
import { type Asked, type Demand, type QuotaCharger, refuserOf } from "../quota/quota-charger.ts";

export interface CallTools extends Pick<HandlerHost, "clock" | "metrics" | "logger"> {
  readonly charger: QuotaCharger;
}

/** Decides one request and charges its quotas: exactly, all enforced ones or none. */
export function answerCheck(
  generation: Generation,
  request: CheckRequest,
  { clock, metrics, charger }: CallTools,
): MaybePromise<CheckReply> {
  const startMs = clock.monotonicMs();
  const { version } = generation.snapshot;
  const { dispatch, observer } = generation;
  const context = { nowMs: clock.nowMs(), dispatch, observer };
  return chain(decideOrExplain(generation, request, context), ({ decision, explanation }) => {
    const demands =
      request.withoutQuotas === true
        ? []
        : decision.charges.map((charge) => demandOf(charge, generation, request.useWithinMs ?? 0));
    return chain(charger.charge(demands, request.deduplicationId), (quotas) => {
      const asked = demands.map(({ mode, request: { amount } }, index) => {
        return { mode, amount, outcome: quotas[index] as QuotaOutcome };
      });
      for (const { outcome, amount } of asked) metrics.quota(outcome, amount);
      countCheck(decision, asked, startMs, metrics);
      return { version, decision, quotas, ...(explanation === undefined ? {} : { explanation }) };
    });
  });
}

/** Small enough to travel in the reply to a request. */
const EXPLANATION_LIMITS = {
  ...DEFAULT_EXPLANATION_LIMITS,
  documents: 50,
  expressions: 10,
  allNodes: 500,
  sourceLength: 500,
};

function decideOrExplain(
  { checkPlan }: Generation,
  { attributes, explain }: CheckRequest,
  context: CheckContext,
): MaybePromise<{ readonly decision: Decision; readonly explanation?: Explanation }> {
  if (explain === true)
    return explainDecision(checkPlan, attributes, context, {
      tracer: createTracer(),
      limits: EXPLANATION_LIMITS,
    });
  return chain(decide(checkPlan, attributes, context), (decision) => ({ decision }));
}

/** What is used as soon as the answer arrives is leased for so long at most. */
export const MAX_USE_MS = 1_000;

function demandOf(charge: QuotaCharge, generation: Generation, useWithinMs: number): Demand {
  const policy = generation.quotaPolicies.get(charge.policy) as QuotaPolicy;
  const { cell, limit, windowMs, amount, mode, onStoreFailure } = charge;
  return {
    policy: charge.policy,
    store: generation.findStore(policy.store),
    request: {
      cell,
      algorithm: policy.algorithm,
      limit,
      windowMs,
      amount,
      bestEffort: false,
      // Not ahead of need: until the answer has arrived.
      leaseMs: Math.min(useWithinMs, MAX_USE_MS),
    },
    onStoreFailure,
    mode,
  };
}

function countCheck(
  { status, reason, decidedBy, shadowDenials, audits }: Decision,
  asked: readonly Asked[],
  startMs: number,
  metrics: CallTools["metrics"],
): void {
  const refOf = ({ outcome }: Asked) => ({ kind: "QuotaPolicy", name: outcome.policy });
  const limiting = refuserOf(asked);
  if (limiting === undefined) metrics.checked(status.code, reason?.kind ?? "none", startMs);
  else metrics.checked("RESOURCE_EXHAUSTED", "quota", startMs);
  const shadows = asked.filter(({ mode, amount, outcome }) => mode === "shadow" && outcome.granted < amount);
  metrics.noted({
    denials: [
      ...(decidedBy === undefined ? [] : [decidedBy]),
      ...(limiting === undefined ? [] : [refOf(limiting)]),
    ],
    shadowDenials: [...shadowDenials, ...shadows.map(refOf)],
    audits,
  });
}
