// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaCounting } from "./quota-definition.ts";

/**
 * The language in which quotas are asked for and granted, by proxies of the mixer and by the mixer of its stores.
 *
 * Zero over-admission with leases: an amount that a proxy holds ahead of need (`leaseMs` > 0) is counted by the store as
 * if it were used at the lease's end, the latest moment it can be used; so at no time is more admitted than the limit.
 */

/** A demand on one count. All numbers are whole; a store rejects others with a RangeError. */
export interface QuotaRequest extends QuotaCounting {
  /** Which count: the policy's name and the key's values, as one string; see `cellName`. */
  readonly cell: string;
  /** What may be used in a window; the bucket's size and its refill per window for token-bucket. */
  readonly limit: number;
  /** How much is asked for. Negative gives back an amount granted earlier, whose `slot` must be named. 0 only looks. */
  readonly amount: number;
  /** Grant what there is when there is less than `amount`; otherwise grant all or nothing. */
  readonly bestEffort: boolean;
  /** How long the asker may hold the amount before it uses it; 0 when it is used at once. */
  readonly leaseMs: number;
  /** For a negative amount: the `slot` of the grant it came from. */
  readonly slot?: number;
}

export interface QuotaGrant {
  /** 0 … amount; when something is given back, what was really taken back (0 or negative). */
  readonly granted: number;
  /** What is left for others after this. */
  readonly remaining: number;
  /** Until the count is whole again if nothing more is used, in milliseconds. */
  readonly resetMs: number;
  /**
   * When refused: how long until the same demand may succeed; the window for one that never can. 0 when granted, and for
   * what was only not taken because another request of the same call was refused.
   */
  readonly retryAfterMs: number;
  /** How long the granted amount may be held, from the moment the store decided; at most `leaseMs`. */
  readonly validForMs: number;
  /** Where the grant was counted; names it when some is given back. */
  readonly slot: number;
}

export interface AllocateOptions {
  /**
   * Same id, same answer: a repeat within a minute returns the first answer, with what is left of `validForMs`, and
   * counts nothing. Empty for a call that is never repeated.
   */
  readonly deduplicationId: string;
}

/**
 * A place that counts. The requests of one call are decided together: when one that is not best-effort cannot be
 * granted in full, nothing is taken for any of them, and every grant says what it would have been (`granted` 0).
 * Rejects with PURSER_STORE_UNAVAILABLE when the count is not to be had in time.
 */
export interface QuotaStore {
  allocate(requests: readonly QuotaRequest[], options: AllocateOptions): MaybePromise<readonly QuotaGrant[]>;
}
