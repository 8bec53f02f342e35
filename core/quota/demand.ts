// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdjustmentEffect } from "./adjustments.ts";
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
  /** Set when an operator has blocked the count: the time for which every charge is refused, in milliseconds. */
  readonly blockedForMs?: number;
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
    effect,
  }: {
    readonly leaseMs?: number;
    readonly bestEffort?: boolean;
    readonly slot?: number | undefined;
    /** The operator's adjustments of the count. */
    readonly effect?: AdjustmentEffect | undefined;
  } = {},
): Demand {
  const { policy, mode, onStoreFailure, cell, amount } = charge;
  // Every store refuses a demand with the limit 0. A block does not keep a proxy from giving back.
  const blockedForMs = amount > 0 ? effect?.blockedForMs : undefined;
  const limit = blockedForMs === undefined ? Math.max(charge.limit, effect?.raisedTo ?? 0) : 0;
  const request = { cell, limit, amount, bestEffort, leaseMs, ...countingOf(charge) };
  return {
    policy,
    mode,
    onStoreFailure,
    store,
    request: slot === undefined ? request : { ...request, slot },
    ...(blockedForMs === undefined ? {} : { blockedForMs }),
  };
}
