// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { QuotaGrant } from "./quota.ts";
import type { QuotaDefinition, StoreFailurePolicy } from "./quota-definition.ts";

/** A quota that a request uses, with the amount: enough information to ask for more. */
export interface QuotaCharge extends SingleCharge {
  /** Steps for when the limit is reached, in order; absent: the request is refused. Never empty. */
  readonly beyond?: readonly BeyondStep[];
}

/** A charge, without the steps that follow when it is refused. */
export interface SingleCharge extends QuotaDefinition {
  readonly mode: EnforcementMode;
  readonly cell: string;
  /** After overrides. */
  readonly limit: number;
  readonly amount: number;
  /** Message to the client of a refused request. */
  readonly message: string;
}

/** One step of a request whose charge is refused because the limit is reached. */
export type BeyondStep =
  /** Waits until the charge can be made. */
  | {
      readonly kind: "queue";
      /** Longest wait, in milliseconds. */
      readonly atMostMs: number;
      /** Most requests of the policy that wait in one proxy process. */
      readonly length: number;
    }
  /** Makes another charge instead: the same amount, to another policy's quota. */
  | { readonly kind: "draw"; readonly charge: SingleCharge }
  /** Charges nothing: the request passes with these headers, and is routed by them. */
  | { readonly kind: "degrade"; readonly headers: readonly SetHeader[] };

/** A request header that is set; the name is in lower case. */
export interface SetHeader {
  readonly name: string;
  readonly value: string;
}

/** The outcome of one charge. */
export interface QuotaOutcome extends QuotaGrant {
  readonly policy: string;
  readonly cell: string;
  /** Set when the store failed: the charge's onStoreFailure has been applied. */
  readonly failure?: StoreFailure;
  /** True when an operator has blocked the count: no step of `beyond` helps; absent: it is not blocked. */
  readonly blocked?: true;
}

/** Reason that a charge was not counted, and the failure policy that decided instead. */
export interface StoreFailure {
  readonly code: ErrorCode;
  readonly applied: StoreFailurePolicy;
}
