// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Status } from "../../kernel/status.ts";
import type { DirectResponse, HeaderOperation } from "../templates/instances.ts";

/**
 * What the mixer answers about one request, and a proxy may reuse for others that agree in `referenced`.
 * Plain data: it travels as JSON.
 */
export interface Decision {
  readonly status: Status;
  /** Why, when the status is not OK. Deny, error and unavailability are different things. */
  readonly reason?: DecisionReason;
  /** The document that decided, as kind and display name; absent when nothing refused. */
  readonly decidedBy?: DocumentRef;
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly directResponse?: DirectResponse;
  /** How long the decision may be reused, in milliseconds; 0 when it may not be. */
  readonly validDurationMs: number;
  readonly validUseCount: number;
  readonly referenced: readonly AttributeReference[];
  /** Policies in shadow mode that would have refused. */
  readonly shadowDenials: readonly DocumentRef[];
  /** AUDIT policies that were true. */
  readonly audits: readonly DocumentRef[];
  /** What the request uses of which quotas; empty when it is refused. In document order. */
  readonly charges: readonly QuotaCharge[];
}

export type DecisionReason =
  | { readonly kind: "policy" }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly detail: string };

export interface DocumentRef {
  readonly kind: string;
  /** Display name: `name`, or `namespace/name` outside the default namespace. */
  readonly name: string;
}

/** What became of a request that went wrong: `unanswered` is a `failure` too. */
export type RequestFate = "unanswered" | "failure";

/** One quota that governs a request, and by how much the request uses it: all that is needed to ask for more. */
export interface QuotaCharge {
  /** The QuotaPolicy's display name. */
  readonly policy: string;
  readonly cell: string;
  /** After overrides. */
  readonly limit: number;
  readonly windowMs: number;
  readonly amount: number;
  /** How long a proxy may hold an amount; 0 when it may not. */
  readonly leaseMs: number;
  readonly mode: "enforce" | "shadow";
  readonly onStoreFailure: "allow" | "deny" | "local";
  /** Which fate of the request has the charge given back; absent when it always stays. */
  readonly giveBackOn?: RequestFate;
  /** What the client is told when refused. */
  readonly message: string;
}

/** The standing of one charge after it was asked for. */
export interface QuotaOutcome {
  readonly policy: string;
  readonly cell: string;
  readonly granted: number;
  readonly remaining: number;
  readonly resetMs: number;
  readonly retryAfterMs: number;
  readonly validForMs: number;
  readonly slot: number;
  /** Set when the store could not be asked: the charge's onStoreFailure has been applied. */
  readonly failure?: { readonly code: ErrorCode; readonly applied: "allow" | "deny" | "local" };
}
