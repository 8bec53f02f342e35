// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Status } from "../../kernel/status.ts";
import type { DirectResponse, HeaderOperation } from "../templates/instances.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { DocumentRef } from "./document-ref.ts";

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
