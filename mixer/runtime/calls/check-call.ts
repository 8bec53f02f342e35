// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CheckReply, type CheckRequest, MAX_USE_WITHIN_MS } from "../../../api/mixer-service.ts";
import { decide } from "../../../core/check/decide.ts";
import type { Decision } from "../../../core/check/decision.ts";
import type { QuotaCharge, QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import type { CheckContext } from "../../../core/check/ports.ts";
import { explainDecision } from "../../../core/explain/explain-decision.ts";
import { DEFAULT_EXPLANATION_LIMITS, type Explanation } from "../../../core/explain/explanation.ts";
import { createTracer } from "../../../core/expressions/jsonata-engine.ts";
import { chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { QuotaPolicy } from "../../../core/snapshot/snapshot.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import type { HandlerHost } from "../handlers/host.ts";
import type { Adjustments } from "../../../core/quota/adjustments.ts";
import type { TopKeys } from "../../../core/quota/top-keys.ts";
import { chargeAll, type ChargeOptions } from "../../../core/quota/charge-all.ts";
import { type Demand, demandOf } from "../../../core/quota/demand.ts";
import { fallsShort, refusalOf } from "../../../core/quota/refusal.ts";
import { quotaPolicyRef } from "../../../core/check/document-ref.ts";

export interface CallTools extends Pick<HandlerHost, "clock" | "metrics" | "logger"> {
  readonly charging: Omit<ChargeOptions, "deduplicationId">;
  readonly adjustments: Pick<Adjustments, "effectOn">;
  readonly topKeys: Pick<TopKeys, "observe">;
}

/** Decides one request and charges its quotas exactly: all enforced quotas or none. */
export function answerCheck(
  active: ActiveSnapshot,
  request: CheckRequest,
  { clock, metrics, charging, adjustments, topKeys }: CallTools,
): MaybePromise<CheckReply> {
  const startMs = clock.monotonicMs();
  const { version } = active.snapshot;
  const { dispatch, observer } = active;
  const context = { nowMs: clock.nowMs(), dispatch, observer };
  return chain(decideOrExplain(active, request, context), ({ decision, explanation }) => {
    const charges = request.withoutQuotas === true ? [] : decision.charges;
    const { useWithinMs = 0 } = request;
    const nowMs = clock.nowMs();
    const demands = charges.map((charge) => demandFor(charge, active, adjustments, { nowMs, useWithinMs }));
    const { deduplicationId } = request;
    return chain(chargeAll(demands, { deduplicationId, ...charging }), (quotas) => {
      for (let index = 0; index < quotas.length; index++) {
        const [outcome, { amount }] = [quotas[index] as QuotaOutcome, charges[index] as QuotaCharge];
        metrics.quota(outcome, amount);
        topKeys.observe(outcome, amount);
      }
      countCheck(decision, charges, quotas, startMs, metrics);
      return { version, decision, quotas, ...(explanation === undefined ? {} : { explanation }) };
    });
  });
}

/** Bounds that keep an explanation small enough for the reply to a request. */
const EXPLANATION_LIMITS = {
  ...DEFAULT_EXPLANATION_LIMITS,
  documents: 50,
  expressions: 10,
  allNodes: 500,
  sourceLength: 500,
};

function decideOrExplain(
  { checkPlan }: ActiveSnapshot,
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

function demandFor(
  charge: QuotaCharge,
  active: ActiveSnapshot,
  adjustments: CallTools["adjustments"],
  { nowMs, useWithinMs }: { readonly nowMs: number; readonly useWithinMs: number },
): Demand {
  const policy = active.quotaPolicies.get(charge.policy) as QuotaPolicy;
  const leaseMs = Math.min(useWithinMs, MAX_USE_WITHIN_MS);
  const store = active.findStore(policy.store);
  return demandOf(charge, store, { nowMs, leaseMs, effect: adjustments.effectOn(charge.cell, store.name) });
}

function countCheck(
  { status, reason, decidedBy, shadowDenials, audits }: Decision,
  charges: readonly QuotaCharge[],
  outcomes: readonly QuotaOutcome[],
  startMs: number,
  metrics: CallTools["metrics"],
): void {
  const refusal = refusalOf(charges, outcomes);
  if (refusal === undefined) metrics.checked(status.code, reason?.kind ?? "none", startMs);
  else metrics.checked("RESOURCE_EXHAUSTED", "quota", startMs);
  const shadows = charges.filter(
    ({ mode, amount }, index) => mode === "shadow" && fallsShort(amount, outcomes[index] as QuotaOutcome),
  );
  metrics.noted({
    denials: [
      ...(decidedBy === undefined ? [] : [decidedBy]),
      ...(refusal === undefined ? [] : [quotaPolicyRef(refusal.charge.policy)]),
    ],
    shadowDenials: [...shadowDenials, ...shadows.map(({ policy }) => quotaPolicyRef(policy))],
    audits,
  });
}
