// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AllocateCharge,
  type AllocateReply,
  type AllocateRequest,
  MAX_USE_WITHIN_MS,
} from "../../../api/mixer-service.ts";
import type { QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import { chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import { isCellOf } from "../../../core/quota/cell-name.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import { chargeAll } from "../../../core/quota/charge-all.ts";
import { type Demand, demandOf } from "../../../core/quota/demand.ts";
import type { CallTools } from "./check-call.ts";

/**
 * Makes the charges that earlier decisions named. Stale charges are reported by their index, and do not
 * prevent the others.
 */
export function answerAllocate(
  active: ActiveSnapshot,
  request: AllocateRequest,
  { clock, metrics, charging, adjustments, topKeys }: CallTools,
): MaybePromise<AllocateReply> {
  const { version } = active.snapshot;
  const { charges, deduplicationId } = request;
  const nowMs = clock.nowMs();
  const demands: Demand[] = [];
  const stale: number[] = [];
  for (const [index, charge] of charges.entries()) {
    const demand = demandFor(charge, active, adjustments, nowMs);
    if (demand === undefined) stale.push(index);
    else demands.push(demand);
  }
  if (demands.length === 0 && stale.length > 0) return { kind: "stale", version };
  return chain(chargeAll(demands, { deduplicationId, ...charging }), (outcomes) => {
    demands.forEach(({ request: { amount } }, index) => {
      if (amount > 0) metrics.quota(outcomes[index] as QuotaOutcome, amount);
      topKeys.observe(outcomes[index] as QuotaOutcome, amount);
    });
    if (stale.length === 0) return { kind: "granted", quotas: outcomes };
    const notMade = new Set(stale);
    let next = 0;
    const quotas = charges.map((charge, index) =>
      notMade.has(index) ? uncharged(charge) : (outcomes[next++] as QuotaOutcome),
    );
    return { kind: "granted", quotas, stale: { version, charges: stale } };
  });
}

/** The outcome of a charge that was not made. */
function uncharged({ policy, cell }: AllocateCharge): QuotaOutcome {
  return { policy, cell, granted: 0, remaining: 0, resetMs: 0, retryAfterMs: 0, validForMs: 0, slot: 0 };
}

/**
 * The demand of a charge; undefined for a stale charge: its policy is gone, or has no such limit or cell,
 * because the documents have changed since the decision or the caller made the charge up. Grants are given
 * back even when their limit was edited since.
 */
function demandFor(
  charge: AllocateCharge,
  active: ActiveSnapshot,
  adjustments: CallTools["adjustments"],
  nowMs: number,
): Demand | undefined {
  const policy = active.quotaPolicies.get(charge.policy);
  if (policy === undefined || !isCellOf(policy, charge.cell)) return undefined;
  const limits = [policy.limit, ...policy.overrides.map(({ limit }) => limit)];
  if (charge.amount > 0 && !limits.includes(charge.limit)) return undefined;
  // Without leases, a grant must still hold until it arrives at the proxy.
  const leaseMs = Math.min(charge.leaseMs, Math.max(policy.quota.leaseMs, MAX_USE_WITHIN_MS));
  const { cell, limit, amount, bestEffort, slot } = charge;
  const { quota, mode } = policy;
  const store = active.findStore(policy.store);
  const effect = adjustments.effectOn(cell, store.name);
  return demandOf({ mode, cell, limit, amount, ...quota }, store, {
    nowMs,
    leaseMs,
    bestEffort,
    slot,
    effect,
  });
}
