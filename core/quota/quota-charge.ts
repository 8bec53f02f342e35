// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { QuotaGrant } from "./quota.ts";
import type { QuotaDefinition, StoreFailurePolicy } from "./quota-definition.ts";

/** A quota that a request uses, with the amount: enough information to ask for more. */
export interface QuotaCharge extends QuotaDefinition {
  readonly mode: EnforcementMode;
  readonly cell: string;
  /** After overrides. */
  readonly limit: number;
  readonly amount: number;
  /** Message to the client of a refused request. */
  readonly message: string;
}

/** The outcome of one charge. */
export interface QuotaOutcome extends QuotaGrant {
  readonly policy: string;
  readonly cell: string;
  /** Set when the store failed: the charge's onStoreFailure has been applied. */
  readonly failure?: StoreFailure;
}

/** Reason that a charge was not counted, and the failure policy that decided instead. */
export interface StoreFailure {
  readonly code: ErrorCode;
  readonly applied: StoreFailurePolicy;
}
