// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge } from "./quota-charge.ts";
import type { QuotaRequest, QuotaStore } from "./quota.ts";
import { countingOf, type QuotaCounting } from "./quota-definition.ts";

/** A store that answers within a deadline, and rejects when it cannot answer. */
export interface NamedStore extends QuotaStore {
  readonly name: string;
}

/** One charge, the store that counts it, and the failure policy. */
export interface Demand extends Pick<QuotaCharge, "policy" | "mode" | "onStoreFailure"> {
  readonly store: NamedStore;
  readonly request: QuotaRequest;
}

type DemandedCharge = Pick<QuotaCharge, "cell" | "limit" | "amount"> &
  QuotaCounting &
  Omit<Demand, "store" | "request">;

/** The demand on `store` for a charge; default: all or nothing, used at once. */
export function demandOf(
  charge: DemandedCharge,
  store: NamedStore,
  {
    leaseMs = 0,
    bestEffort = false,
    slot,
  }: {
    readonly leaseMs?: number;
    readonly bestEffort?: boolean;
    readonly slot?: number | undefined;
  } = {},
): Demand {
  const { policy, mode, onStoreFailure, cell, limit, amount } = charge;
  const request = { cell, limit, amount, bestEffort, leaseMs, ...countingOf(charge) };
  return {
    policy,
    mode,
    onStoreFailure,
    store,
    request: slot === undefined ? request : { ...request, slot },
  };
}
