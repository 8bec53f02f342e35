// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../kernel/error-catalog.ts";
import type { EnforcementMode } from "../kernel/enforcement-mode.ts";
import type { QuotaAlgorithm } from "../core/quota/quota-definition.ts";
import type { AdjustmentKind } from "../core/quota/quota-view.ts";
import type { TopPeriod } from "../core/quota/top-keys.ts";

/** Operators' view of quotas, and their commands. Times are in milliseconds unless they are ISO 8601 texts. */

/** The values of a QuotaPolicy's key for one count; a name that is absent here was absent in the request. */
export type QuotaKey = Readonly<Record<string, unknown>>;

/** The longest time of a raise or a block: 7 days. A change for longer belongs in a document. */
export const MAX_ADJUSTMENT_MS = 7 * 24 * 3_600_000;

/** The largest limit, as in a QuotaPolicy. */
export const MAX_LIMIT = 1_000_000_000;

/** Longest name of a count that can be raised or blocked, in UTF-16 units: each mixer holds and reads all of them. */
export const MAX_ADJUSTED_CELL = 1_024;

/** Most counts, keys or entries in one reply. */
export const MAX_PAGE = 1_000;

export interface QuotaListQuery {
  /** A QuotaPolicy's display name; absent for all in force. */
  readonly policy?: string;
  /** The whole key of one count. */
  readonly key?: QuotaKey;
  /** Most counts, 1 to MAX_PAGE; default 100. */
  readonly limit: number;
  readonly cursor?: string;
}

/** One page of policies in document order, each with counts. A policy with many counts goes on in the next page. */
export interface QuotaListing {
  readonly policies: readonly QuotaPolicyState[];
  /** For the next page; absent after the last. */
  readonly cursor?: string;
}

export interface QuotaPolicyState {
  readonly policy: string;
  readonly algorithm: QuotaAlgorithm;
  readonly windowMs: number;
  readonly limit: number;
  /** The limits of the policy's overrides, in their order. */
  readonly overrides: readonly number[];
  readonly leaseMs: number;
  readonly mode: EnforcementMode;
  /** The Handler that counts, or `built-in memory`. */
  readonly store: string;
  /** Whether all mixers of the store see the same counts, raises and blocks. */
  readonly shared: boolean;
  /** The most used first, within this page. */
  readonly counts: readonly CountState[];
  /** Raises and blocks in force, those of keys without a count included. */
  readonly adjustments: readonly AdjustmentState[];
  /** Why the counts could not be listed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

export interface CountState {
  readonly cell: string;
  /** Absent for a count that several keys share. */
  readonly key?: QuotaKey;
  /** The limit that the last charge had, where the store keeps it; otherwise the raise's in force, or the policy's. */
  readonly limit: number;
  /** Leases that proxies hold count as used. At most the largest limit that applies to the policy's requests. */
  readonly used: number;
  readonly remaining: number;
  /** Time until the whole limit is available if nothing more is used. */
  readonly resetMs: number;
}

/** `store`: for all mixers that use the store. `mixer`: for the mixer that was asked alone, until it ends. */
export type KeptIn = "store" | "mixer";

export interface AdjustmentState {
  readonly kind: AdjustmentKind;
  readonly cell: string;
  readonly key?: QuotaKey;
  /** The limit of a raise; 0 for a block. */
  readonly limit: number;
  readonly leftMs: number;
  readonly keptIn: KeptIn;
  readonly by: string;
  readonly reason: string;
  /** When it was made, in ISO 8601. */
  readonly time: string;
}

/** One count, and why it is changed. */
export interface CountCommand {
  readonly policy: string;
  readonly key: QuotaKey;
  readonly reason: string;
}

export interface BlockCommand extends CountCommand {
  /** 1 to MAX_ADJUSTMENT_MS. */
  readonly forMs: number;
}

export interface RaiseCommand extends BlockCommand {
  /** The limit for this key, above the policy's; at most MAX_LIMIT. */
  readonly limit: number;
}

export const QUOTA_ACTIONS = ["reset", "raise", "block", "end-raise", "end-block"] as const;
export type QuotaAction = (typeof QUOTA_ACTIONS)[number];

/** A change that was made; the reply of each command. */
export interface AuditEntry {
  /** In ISO 8601. */
  readonly time: string;
  readonly action: QuotaAction;
  readonly policy: string;
  readonly key: QuotaKey;
  /** The caller's address. */
  readonly by: string;
  readonly reason: string;
  readonly limit?: number;
  readonly forMs?: number;
  /** Whether there was something to reset or to end; true for a raise and a block. */
  readonly changed: boolean;
  readonly keptIn: KeptIn;
}

export interface AuditListing {
  /** The newest first. */
  readonly entries: readonly AuditEntry[];
  /** Number of older entries that this mixer no longer keeps. */
  readonly forgotten: number;
}

export interface TopListing {
  readonly policies: readonly PolicyTopKeys[];
}

export interface PolicyTopKeys {
  readonly policy: string;
  /** The current hour, then the hour before it; empty when nothing was charged in either. */
  readonly periods: readonly TopPeriod[];
}
