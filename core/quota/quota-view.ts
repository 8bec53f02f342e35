// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { QuotaCounting } from "./quota-definition.ts";

/**
 * The part of a quota store for operators, beside `allocate`; a store may lack it. The counts themselves are read with
 * `allocate` and an amount of 0.
 */
export interface QuotaView {
  /**
   * The names of a policy's counts, one page; in no certain order. A count that exists all the time is listed at least once, and
   * never twice in a page.
   *
   * @throws {PurserError} PURSER_STORE_UNAVAILABLE; PURSER_REQUEST_INVALID for a cursor that the store does not know.
   */
  list(query: CountQuery): MaybePromise<CountPage>;
  /**
   * Forgets what a count has used. Amounts that proxies hold as leases stay usable until the leases end.
   *
   * @throws {PurserError} PURSER_STORE_UNAVAILABLE.
   */
  reset(count: CountReference): MaybePromise<ResetOutcome>;
  /** The adjustments that all mixers of this store share; undefined when the store belongs to one process. */
  readonly shared?: SharedAdjustments;
}

/** One count of a store. */
export interface CountReference extends QuotaCounting {
  /** See `cellName`. */
  readonly cell: string;
}

export interface CountQuery extends QuotaCounting {
  /** The QuotaPolicy's display name. */
  readonly policy: string;
  /** Most names in the page, 1 to 1000; a store that scans may return somewhat more. */
  readonly limit: number;
  /** The `cursor` of the page before; absent for the first page. */
  readonly cursor?: string;
}

export interface CountPage {
  readonly counts: readonly ListedCount[];
  /** For the next page, which may be empty; absent after the last page. */
  readonly cursor?: string;
}

export interface ListedCount {
  readonly cell: string;
  /** The limit that the last charge had; absent when the store does not keep it. */
  readonly lastLimit?: number;
}

/** `shared`: the key has no count of its own, see `MemoryQuotaStoreOptions.maxCells`; nothing was reset. */
export type ResetOutcome = "reset" | "absent" | "shared";

export const ADJUSTMENT_KINDS = ["raise", "block"] as const;
export type AdjustmentKind = (typeof ADJUSTMENT_KINDS)[number];

/** An operator's change of one count's limit, for a time. A count has at most one of each kind. */
export interface QuotaAdjustment {
  readonly kind: AdjustmentKind;
  readonly cell: string;
  /** The limit of a raise; 0 for a block. */
  readonly limit: number;
  /** Time until it ends, in milliseconds, above 0. */
  readonly leftMs: number;
  /** Address of the caller who made it. */
  readonly by: string;
  readonly reason: string;
  /** When it was made, in milliseconds since the Unix epoch. */
  readonly madeAtMs: number;
}

/** Most adjustments that one store, or one mixer, keeps. */
export const MAX_ADJUSTMENTS = 1_000;

/** Adjustments in a store. They end by the store's clock. All functions throw PURSER_STORE_UNAVAILABLE. */
export interface SharedAdjustments {
  /** The adjustments in force. */
  all(): MaybePromise<readonly QuotaAdjustment[]>;
  /**
   * Adds an adjustment, or replaces the one of the same kind and count.
   *
   * @throws {PurserError} PURSER_QUOTA_ADJUSTMENTS_FULL when MAX_ADJUSTMENTS others are in force.
   */
  put(adjustment: QuotaAdjustment): MaybePromise<void>;
  /** Ends an adjustment; false when it was not in force. */
  remove(kind: AdjustmentKind, cell: string): MaybePromise<boolean>;
}
