// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CheckReply, type CheckRequest, MAX_USE_WITHIN_MS } from "../../../api/mixer-service.ts";
import { decide } from "../../../core/check/decide.ts";
import type { Decision } from "../../../core/check/decision.ts";
import { goesBeyond } from "../../../core/quota/beyond/beyond-run.ts";
import { chargeBeyond } from "../../../core/quota/beyond/charge-beyond.ts";
import type { QuotaCharge, QuotaOutcome, SingleCharge } from "../../../core/quota/quota-charge.ts";
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
  tools: CallTools,
): MaybePromise<CheckReply> {
  const { clock, metrics, charging, adjustments, topKeys } = tools;
  const startMs = clock.monotonicMs();
  const { version } = active.snapshot;
  const { dispatch, observer } = active;
  const context = { nowMs: clock.nowMs(), dispatch, observer };
  return chain(decideOrExplain(active, request, context), ({ decision, explanation }) => {
    const charges = request.withoutQuotas === true ? [] : decision.charges;
    if (request.applyBeyond === true && charges.some(goesBeyond)) {
      return chain(answerBeyond(active, request, decision, charges, tools), (reply) => {
        countCheck(reply.decision, reply.decision.charges, reply.quotas, startMs, metrics, () => false);
        return explanation === undefined ? reply : { ...reply, explanation };
      });
    }
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

/**
 * Charges a request whose caller cannot take the steps beyond a limit. Each call to the stores has a
 * deduplication id of its own, or a store would take the second return of an amount for a repeat of the first.
 */
function answerBeyond(
  active: ActiveSnapshot,
  { deduplicationId, useWithinMs = 0 }: CheckRequest,
  decision: Decision,
  written: readonly QuotaCharge[],
  { clock, metrics, charging, adjustments, topKeys }: CallTools,
): MaybePromise<CheckReply> {
  const make = (charges: readonly SingleCharge[], again: number): MaybePromise<readonly QuotaOutcome[]> => {
    const nowMs = clock.nowMs();
    const demands = charges.map((charge) => demandFor(charge, active, adjustments, { nowMs, useWithinMs }));
    const id = again === 0 ? deduplicationId : `${deduplicationId} beyond ${again}`;
    return chain(chargeAll(demands, { ...charging, deduplicationId: id }), (outcomes) => {
      for (const [index, outcome] of outcomes.entries()) {
        const { amount } = charges[index] as SingleCharge;
        metrics.quota(outcome, amount);
        topKeys.observe(outcome, amount);
      }
      return outcomes;
    });
  };
  return chain(chargeBeyond(written, make), ({ charges, outcomes, events, headers }) => {
    for (const event of events) metrics.beyond(event);
    const set = headers.map(({ name, value }) => ({ operation: "set", name, value }) as const);
    const requestHeaders = [...set, ...decision.requestHeaders];
    return {
      version: active.snapshot.version,
      decision: { ...decision, charges, requestHeaders, validDurationMs: 0 },
      quotas: outcomes,
    };
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
  charge: SingleCharge,
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
  isLeftOpen: (charge: QuotaCharge) => boolean = goesBeyond,
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
      // A proxy may take a step beyond the limit: then its report tells whether the request was refused.
      ...(refusal === undefined || isLeftOpen(refusal.charge) ? [] : [quotaPolicyRef(refusal.charge.policy)]),
    ],
    shadowDenials: [...shadowDenials, ...shadows.map(({ policy }) => quotaPolicyRef(policy))],
    audits,
  });
}
