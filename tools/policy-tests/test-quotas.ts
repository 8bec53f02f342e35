// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome } from "../../core/check/decision.ts";
import type { Clock, Logger } from "../../kernel/ports.ts";
import type { Quotas } from "../../core/policy-tests/run-case.ts";
import { createMemoryQuotaStore } from "../../core/quota/memory-store.ts";
import type { QuotaPolicy } from "../../core/snapshot/snapshot.ts";
import { type Demand, QuotaCharger, refuserOf } from "../../mixer/runtime/quota/quota-charger.ts";

/**
 * Quotas as a mixer charges them, in memory stores that live as long as one case: one for each store that a policy
 * names, and the built-in one.
 */
export function testQuotas(policies: readonly QuotaPolicy[], clock: Clock, logger: Logger): Quotas {
  const localStore = createMemoryQuotaStore({ clock });
  const charger = new QuotaCharger({ localStore, nodes: 1, logger });
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const stores = new Map<string, Demand["store"]>();
  const storeOf: StoreOf = (name) => {
    const known = stores.get(name);
    if (known !== undefined) return known;
    const counting = createMemoryQuotaStore({ clock });
    const store: Demand["store"] = {
      name,
      allocate: (requests, options) => counting.allocate(requests, options),
    };
    stores.set(name, store);
    return store;
  };
  let calls = 0;
  return {
    async charge(charges) {
      const demands = charges.map((charge) => demandOf(charge, byName.get(charge.policy), storeOf));
      const outcomes = await charger.charge(demands, `request-${++calls}`);
      const asked = demands.map(({ mode, request: { amount } }, index) => {
        return { mode, amount, outcome: outcomes[index] as QuotaOutcome };
      });
      const refuser = refuserOf(asked)?.outcome;
      const refusedBy = refuser && { policy: refuser.policy, retryAfterMs: refuser.retryAfterMs };
      return {
        ...(refusedBy === undefined ? {} : { refusedBy }),
        ...(outcomes.length === 0
          ? {}
          : { remaining: Math.min(...outcomes.map(({ remaining }) => remaining)) }),
      };
    },
  };
}

type StoreOf = (name: string) => Demand["store"];

function demandOf(
  { policy, cell, limit, windowMs, amount, mode, onStoreFailure }: QuotaCharge,
  document: QuotaPolicy | undefined,
  storeOf: StoreOf,
): Demand {
  const { algorithm, store } = document as QuotaPolicy;
  // Used at once, so nothing is leased.
  const request = { cell, algorithm, limit, windowMs, amount, bestEffort: false, leaseMs: 0 };
  return { policy, store: storeOf(store ?? "memory"), request, onStoreFailure, mode };
}
