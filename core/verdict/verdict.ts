// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Status } from "../../kernel/status.ts";
import type { Decision } from "../check/decision.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import type { StoreFailure } from "../quota/quota-charge.ts";
import type { QuotaStanding } from "../quota/standing.ts";

/** What becomes of one request: a decision together with the outcomes of its quotas. `replyOf` says what the client is told. */
export interface Verdict
  extends Pick<Decision, "requestHeaders" | "responseHeaders" | "shadowDenials" | "audits"> {
  readonly outcome: VerdictOutcome;
  readonly directResponse?: Decision["directResponse"] | undefined;
  /** Every enforced quota that governs the request and could be counted, for the RateLimit headers. */
  readonly quotas: readonly QuotaStanding[];
  /** Set when a document's failure policy let the request pass, or refused it. */
  readonly failure?: StoreFailure | undefined;
}

/** Deny, limit and error are different things, in replies, metrics and logs. */
export type VerdictOutcome =
  | { readonly kind: "allow" }
  /** A policy refuses. */
  | { readonly kind: "deny"; readonly status: Status; readonly decidedBy: DocumentRef }
  /** A quota is used up. */
  | {
      readonly kind: "limit";
      readonly status: Status;
      readonly decidedBy: DocumentRef;
      /** When the same request may succeed, in milliseconds; 0 when the store does not say. */
      readonly retryAfterMs: number;
    }
  /** Nobody could decide, and a document says that this means no. */
  | {
      readonly kind: "error";
      readonly status: Status;
      readonly code: ErrorCode;
      readonly decidedBy: DocumentRef | undefined;
    };
