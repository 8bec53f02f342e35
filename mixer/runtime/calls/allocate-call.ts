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

/** Charges that earlier decisions named. Those that mean nothing any more are told by their index, and the others made. */
export function answerAllocate(
  active: ActiveSnapshot,
  request: AllocateRequest,
  { metrics, charging }: CallTools,
): MaybePromise<AllocateReply> {
  const { version } = active.snapshot;
  const { charges, deduplicationId } = request;
  const demands: Demand[] = [];
  const stale: number[] = [];
  for (const [index, charge] of charges.entries()) {
    const demand = demandFor(charge, active);
    if (demand === undefined) stale.push(index);
    else demands.push(demand);
  }
  if (demands.length === 0 && stale.length > 0) return { kind: "stale", version };
  return chain(chargeAll(demands, { deduplicationId, ...charging }), (outcomes) => {
    demands.forEach(({ request: { amount } }, index) => {
      if (amount > 0) metrics.quota(outcomes[index] as QuotaOutcome, amount);
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
 * Undefined when the policy is gone, or the limit or the cell is none of its own: then the documents have changed since
 * the decision, or the caller made it up. What was granted under a limit is taken back after the limit was edited, too.
 */
function demandFor(charge: AllocateCharge, active: ActiveSnapshot): Demand | undefined {
  const policy = active.quotaPolicies.get(charge.policy);
  if (policy === undefined || !isCellOf(policy, charge.cell)) return undefined;
  const limits = [policy.limit, ...policy.overrides.map(({ limit }) => limit)];
  if (charge.amount > 0 && !limits.includes(charge.limit)) return undefined;
  // A policy without leases still has its grants hold until they arrive.
  const leaseMs = Math.min(charge.leaseMs, Math.max(policy.quota.leaseMs, MAX_USE_WITHIN_MS));
  const { cell, limit, amount, bestEffort, slot } = charge;
  const { quota, mode } = policy;
  return demandOf({ mode, cell, limit, amount, ...quota }, active.findStore(policy.store), {
    leaseMs,
    bestEffort,
    slot,
  });
}
