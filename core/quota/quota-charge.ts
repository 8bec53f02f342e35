// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { QuotaGrant } from "./quota.ts";
import type { QuotaDefinition, StoreFailurePolicy } from "./quota-definition.ts";

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
