// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Status } from "../../kernel/status.ts";
import type { DirectResponse, HeaderOperation } from "../templates/instances.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { DocumentRef } from "./document-ref.ts";

/**
 * The mixer's answer about one request, which a proxy may reuse for others that agree in `referenced`. Plain
 * data, sent as JSON.
 */
export interface Decision {
  readonly status: Status;
  /** Reason of a status other than OK: denial, error and unavailability are distinct. */
  readonly reason?: DecisionReason;
  /** The deciding document, as kind and display name; absent when no document refused. */
  readonly decidedBy?: DocumentRef;
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly directResponse?: DirectResponse;
  /** How long the decision may be reused, in milliseconds; 0 when it must not be cached. */
  readonly validDurationMs: number;
  readonly validUseCount: number;
  readonly referenced: readonly AttributeReference[];
  /** Policies in shadow mode that would have refused. */
  readonly shadowDenials: readonly DocumentRef[];
  /** AUDIT policies that were true. */
  readonly audits: readonly DocumentRef[];
  /** The quotas that the request uses, with amounts; empty when it is refused. In document order. */
  readonly charges: readonly QuotaCharge[];
}

export type DecisionReason =
  | { readonly kind: "policy" }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly detail: string };
