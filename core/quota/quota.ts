// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { PeriodBounds } from "./period/calendar.ts";
import type { QuotaCounting } from "./quota-definition.ts";
import type { QuotaView } from "./quota-view.ts";

/**
 * Requests and grants of quotas, between proxies and the mixer and between the mixer and its stores.
 *
 * Zero over-admission with leases: the store counts an amount that a proxy holds ahead of need (`leaseMs` >
 * 0) as if it were used at the lease's end, the latest possible moment; so the limit is never exceeded.
 */

/** A demand on one count. All numbers are whole; a store rejects others with a RangeError. */
export interface QuotaRequest extends Omit<QuotaCounting, "period"> {
  /** Name of the count: the policy's name and the key's values; see `cellName`. */
  readonly cell: string;
  /**
   * Amount allowed in a window or period, or in all for allocation; for token-bucket, the bucket's size and its
   * refill per window.
   */
  readonly limit: number;
  /**
   * For a fixed-window over calendar periods: the periods around the caller's time. The store's own clock
   * decides which of them is the current one.
   */
  readonly period?: PeriodBounds;
  /**
   * Requested amount. A negative amount gives back an earlier grant, whose `slot` is required. 0 only reads.
   */
  readonly amount: number;
  /** Grant the available part when there is less than `amount`; otherwise all or nothing. */
  readonly bestEffort: boolean;
  /** How long the caller may hold the amount before it uses it; 0 when it is used at once. */
  readonly leaseMs: number;
  /** For a negative amount: the `slot` of the grant it came from. */
  readonly slot?: number;
}

export interface QuotaGrant {
  /** 0 … amount; when giving back, the amount that was really taken back (0 or negative). */
  readonly granted: number;
  /** Amount left for others after this. */
  readonly remaining: number;
  /** Time until the whole limit is available if nothing more is used, in milliseconds. */
  readonly resetMs: number;
  /**
   * When refused: time until the same demand may succeed; the window for a demand that never can; a second for
   * allocation, where nobody knows. 0 when granted, and for a demand that was only not taken because another request of the same call was refused.
   */
  readonly retryAfterMs: number;
  /** How long the granted amount may be held, from the moment the store decided; at most `leaseMs`. */
  readonly validForMs: number;
  /** The window or slot that counted the grant; required to give the grant back. */
  readonly slot: number;
}

export interface AllocateOptions {
  /**
   * Same id, same answer: a repeat within a minute returns the first answer, with the rest of `validForMs`,
   * and counts nothing. Empty for a call that is never repeated.
   */
  readonly deduplicationId: string;
}

/**
 * A store of counts. The requests of one call are decided together: when a request that is not best-effort
 * cannot be granted in full, nothing is taken for any of them (`granted` 0), and the other fields say what
 * each would have been. Rejects with PURSER_STORE_UNAVAILABLE when it cannot count in time.
 */
export interface QuotaStore {
  /** For operators; a store may lack it. */
  readonly view?: QuotaView | undefined;
  allocate(requests: readonly QuotaRequest[], options: AllocateOptions): MaybePromise<readonly QuotaGrant[]>;
}
