// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { RequestFate } from "../../core/quota/quota-charge.ts";
import type { DocumentRef } from "../../core/check/document-ref.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Status } from "../../kernel/status.ts";
import type { QuotaStanding } from "../../core/quota/rate-limit-fields.ts";
import type { DirectResponse, HeaderOperation } from "../../core/templates/instances.ts";

/** What the filters need of the mixer; behind it are the cache, the leases, the batches and the fallbacks. */
export interface PolicyClient {
  /** Decides at once when the cache and the leases have the answer; never rejects. */
  check(bag: AttributeBag, options?: CheckOptions): MaybePromise<Verdict>;
  /** Never waits and never throws; what does not fit is dropped and counted. */
  report(bag: AttributeBag): void;
  /** Whether the mixer's policies are known, so that requests can be decided. */
  readonly ready: boolean;
  /** Sends what is buffered, gives leases back, within the deadline. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}

export interface CheckOptions {
  /** True to ask the mixer, whatever the cache has, and for the reasons too; default false. */
  readonly explain?: boolean;
}

/** What becomes of one request. */
export interface Verdict {
  readonly outcome:
    | { readonly kind: "allow" }
    /** A policy refuses. */
    | { readonly kind: "deny"; readonly status: Status; readonly decidedBy: DocumentRef }
    /** A quota is used up. */
    | {
        readonly kind: "limit";
        readonly status: Status;
        readonly decidedBy: DocumentRef;
        readonly retryAfterMs: number;
      }
    /** Nobody could decide, and a document says that this means no. Replied as 503 or 500, never as a denial. */
    | {
        readonly kind: "error";
        readonly status: Status;
        readonly code: ErrorCode;
        readonly decidedBy: DocumentRef | undefined;
      };
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly directResponse?: DirectResponse;
  /** Every enforced quota that governs the request, for the RateLimit headers. */
  readonly quotas: readonly QuotaStanding[];
  readonly shadowDenials: readonly DocumentRef[];
  readonly audits: readonly DocumentRef[];
  /** For the report: `check.cache_hit` and `quota.cache_hit`. */
  readonly checkCacheHit: boolean;
  readonly quotaCacheHit: boolean;
  /** When it was asked for, and the mixer could be. */
  readonly explanation?: Explanation;
  /** Gives back the charges that their policies want back for such a fate; set when there may be some. Called once at most. */
  readonly giveBack?: (fate: RequestFate) => void;
  /** Set when a document's failure policy let the request pass, or refused it. */
  readonly failure?: { readonly code: ErrorCode; readonly applied: "allow" | "deny" | "local" };
}
