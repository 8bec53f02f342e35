// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { QuotaCounting, QuotaGrant } from "./quota.ts";

/** What happens while the store, or the mixer, cannot be asked; `local` counts here, against this node's share. */
export const STORE_FAILURE_POLICIES = ["allow", "deny", "local"] as const;
export type StoreFailurePolicy = (typeof STORE_FAILURE_POLICIES)[number];

/** What became of a request that went wrong: `unanswered` is a `failure` too. */
export const REQUEST_FATES = ["unanswered", "failure"] as const;
export type RequestFate = (typeof REQUEST_FATES)[number];

/**
 * The part of a QuotaPolicy that is the same for every request. The snapshot holds it as one value, each charge carries
 * it whole, and stores and leases read from it what they need: so a new field of it is copied nowhere.
 */
export interface QuotaDefinition extends QuotaCounting {
  /** The QuotaPolicy's display name. */
  readonly policy: string;
  /** How long a proxy may hold an amount, in milliseconds; 0 when it may not. */
  readonly leaseMs: number;
  readonly onStoreFailure: StoreFailurePolicy;
  /** Which fate of the request has the charge given back; absent when it always stays. */
  readonly giveBackOn?: RequestFate;
}

/** One quota that governs a request, and by how much the request uses it: all that is needed to ask for more. */
export interface QuotaCharge extends QuotaDefinition {
  readonly mode: EnforcementMode;
  readonly cell: string;
  /** After overrides. */
  readonly limit: number;
  readonly amount: number;
  /** What the client is told when refused. */
  readonly message: string;
}

/** What came of one charge. */
export interface QuotaOutcome extends QuotaGrant {
  readonly policy: string;
  readonly cell: string;
  /** Set when the store could not be asked: the charge's onStoreFailure has been applied. */
  readonly failure?: StoreFailure;
}

/** Why nobody counted, and which failure policy decided instead. */
export interface StoreFailure {
  readonly code: ErrorCode;
  readonly applied: StoreFailurePolicy;
}
