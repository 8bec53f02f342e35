// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdjustmentEffect } from "./adjustments.ts";
import type { QuotaCharge } from "./quota-charge.ts";
import type { QuotaRequest, QuotaStore } from "./quota.ts";
import { periodBoundsAt } from "./period/calendar.ts";
import type { QuotaCounting } from "./quota-definition.ts";

/** A store that answers within a deadline, and rejects when it cannot answer. */
export interface NamedStore extends QuotaStore {
  readonly name: string;
}

/** One charge, the store that counts it, and the failure policy. */
export interface Demand extends Pick<QuotaCharge, "policy" | "mode" | "onStoreFailure"> {
  readonly store: NamedStore;
  readonly request: QuotaRequest;
  /**
   * Upper bound of `retryAfterMs`, in milliseconds: a slot is free when its request ends, which the store does not
   * know. Absent: the store's own time.
   */
  readonly retryWithinMs?: number;
  /** Set when an operator has blocked the count: the time for which every charge is refused, in milliseconds. */
  readonly blockedForMs?: number;
}

/** A proxy that was refused a slot asks again after this time at the earliest, in milliseconds. */
const SLOT_RETRY_MS = 100;

type DemandedCharge = Pick<QuotaCharge, "cell" | "limit" | "amount"> &
  QuotaCounting &
  Omit<Demand, "store" | "request">;

export interface DemandOptions {
  /** The caller's wall clock: it selects the calendar periods that the store is told of. */
  readonly nowMs: number;
  /** Default 0: used at once. */
  readonly leaseMs?: number;
  /** Default false: all or nothing. */
  readonly bestEffort?: boolean;
  readonly slot?: number | undefined;
  /** The operator's adjustments of the count. */
  readonly effect?: AdjustmentEffect | undefined;
}

/**
 * The demand on `store` for a charge.
 *
 * @throws RangeError for calendar periods in a time zone that this runtime does not know.
 */
export function demandOf(charge: DemandedCharge, store: NamedStore, options: DemandOptions): Demand {
  const { policy, mode, onStoreFailure, cell, amount, algorithm, windowMs, align, period } = charge;
  const { nowMs, leaseMs = 0, bestEffort = false, slot, effect } = options;
  // Every store refuses a demand with the limit 0. A block does not keep a proxy from giving back.
  const blockedForMs = amount > 0 ? effect?.blockedForMs : undefined;
  const limit = blockedForMs === undefined ? Math.max(charge.limit, effect?.raisedTo ?? 0) : 0;
  const concurrent = algorithm === "concurrency";
  const request: Writable<QuotaRequest> = {
    cell,
    limit,
    amount,
    bestEffort,
    leaseMs,
    // Stores need no counter of their own for slots; see counterKindOf.
    algorithm: concurrent ? "sliding-window" : algorithm,
    windowMs,
  };
  if (align !== undefined) request.align = align;
  if (period !== undefined) request.period = periodBoundsAt(period, nowMs);
  if (slot !== undefined) request.slot = slot;
  const demand: Writable<Demand> = { policy, mode, onStoreFailure, store, request };
  if (concurrent) demand.retryWithinMs = SLOT_RETRY_MS;
  return blockedForMs === undefined ? demand : { ...demand, blockedForMs };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
