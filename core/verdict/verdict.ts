// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { Status } from "../../kernel/status.ts";
import type { Decision } from "../check/decision.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import type { StoreFailure } from "../quota/quota-charge.ts";
import type { QuotaState } from "../quota/quota-state.ts";
import type { QuotaStanding } from "../quota/standing.ts";
import type { RateLimitFields } from "./rate-limit-fields.ts";

/**
 * The outcome for one request: a decision together with the outcomes of its quotas. `replyOf` gives the
 * client's reply.
 */
export interface Verdict
  extends Pick<Decision, "requestHeaders" | "responseHeaders" | "shadowDenials" | "audits"> {
  readonly outcome: VerdictOutcome;
  readonly directResponse?: Decision["directResponse"] | undefined;
  /** Every enforced quota that applies, could be counted and is not hidden, for the RateLimit fields. */
  readonly quotas: readonly QuotaStanding[];
  /** The RateLimit headers of `quotas`, where the verdict's maker has prepared them. */
  readonly rateLimit?: RateLimitFields | undefined;
  /** How the enforced quotas were counted, the least exact of them; absent without any. */
  readonly quotaState?: QuotaState | undefined;
  /** Set when a document's failure policy allowed or refused the request. */
  readonly failure?: StoreFailure | undefined;
}

/** Deny, limit and error are distinct in replies, metrics and logs. */
export type VerdictOutcome =
  | { readonly kind: "allow" }
  /** A policy refuses. */
  | { readonly kind: "deny"; readonly status: Status; readonly decidedBy: DocumentRef }
  /** A quota is exceeded. */
  | {
      readonly kind: "limit";
      readonly status: Status;
      readonly decidedBy: DocumentRef;
      /** Time until the same request may succeed, in milliseconds; 0 when the store does not tell. */
      readonly retryAfterMs: number;
    }
  /** No decision was possible, and a document's failure policy refuses. */
  | {
      readonly kind: "error";
      readonly status: Status;
      readonly code: ErrorCode;
      readonly decidedBy: DocumentRef | undefined;
    };
