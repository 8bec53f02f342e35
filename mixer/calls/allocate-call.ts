// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AllocateCharge, AllocateReply, AllocateRequest } from "../../api/mixer.ts";
import type { QuotaOutcome } from "../../core/check/decision.ts";
import { chain, type MaybePromise } from "../../core/kernel/maybe-promise.ts";
import { isCellOf } from "../../core/quota/cell-name.ts";
import type { Generation } from "../generation.ts";
import type { Demand } from "../quota/quota-charger.ts";
import { type CallTools, MAX_USE_MS } from "./check-call.ts";

/** Charges that earlier decisions named. When one of them means nothing any more, none is made. */
export function answerAllocate(
  generation: Generation,
  request: AllocateRequest,
  { metrics, charger }: CallTools,
): MaybePromise<AllocateReply> {
  const { version } = generation.snapshot;
  const demands: Demand[] = [];
  for (const charge of request.charges) {
    const demand = demandOf(charge, generation);
    if (demand === undefined) return { kind: "stale", version };
    demands.push(demand);
  }
  return chain(charger.charge(demands, request.deduplicationId), (quotas) => {
    demands.forEach(({ request: { amount } }, index) => {
      if (amount > 0) metrics.quota(quotas[index] as QuotaOutcome, amount);
    });
    return { kind: "granted", quotas };
  });
}

/**
 * Undefined when the policy is gone, or the limit or the cell is none of its own: then the documents have changed since
 * the decision, or the caller made it up.
 */
function demandOf(charge: AllocateCharge, generation: Generation): Demand | undefined {
  const policy = generation.quotaPolicies.get(charge.policy);
  if (policy === undefined || !isCellOf(policy, charge.cell)) return undefined;
  const limits = [policy.limit, ...policy.overrides.map(({ limit }) => limit)];
  if (!limits.includes(charge.limit)) return undefined;
  return {
    policy: policy.name,
    store: generation.findStore(policy.store),
    request: {
      cell: charge.cell,
      algorithm: policy.algorithm,
      limit: charge.limit,
      windowMs: policy.windowMs,
      amount: charge.amount,
      bestEffort: charge.bestEffort,
      // A policy without leases still has its grants hold until they arrive.
      leaseMs: Math.min(charge.leaseMs, Math.max(policy.leaseMs, MAX_USE_MS)),
      ...(charge.slot === undefined ? {} : { slot: charge.slot }),
    },
    onStoreFailure: policy.onStoreFailure,
    mode: policy.mode,
  };
}
