// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { BeyondEvent } from "../../core/quota/beyond/beyond-event.ts";
import type { SetHeader } from "../../core/quota/quota-charge.ts";
import type { RequestFate } from "../../core/quota/quota-definition.ts";
import type { HttpReply } from "../../core/verdict/reply.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { RequestLife } from "./beyond/quota-queues.ts";

/**
 * The filters' interface to the mixer; behind it are the decision cache, quota leases, report batches and
 * fallbacks.
 */
export interface PolicyClient {
  /**
   * Decides synchronously when the cache and the leases suffice; never rejects.
   *
   * @param life Ends the wait of a request whose client leaves; absent: the client stays.
   */
  check(bag: AttributeBag, options?: CheckOptions, life?: RequestLife): MaybePromise<CheckResult>;
  /**
   * Decides anew about a request that is under way, without charging its quotas; never rejects.
   *
   * @param bag The attributes that it was decided by.
   */
  recheck(bag: AttributeBag): MaybePromise<Recheck>;
  /** Calls `listener` when other documents are in force, until stopped. */
  watchPolicies(listener: () => void): () => void;
  /** Never waits and never throws; a bag that does not fit in the queue is dropped and counted. */
  report(bag: AttributeBag): void;
  /**
   * Whether policies may protect edges, so that an edge asks about a request too that the sidecar behind it checks. True
   * until the mixer's policies are known.
   */
  readonly guardsGateways: boolean;
  /** Whether the mixer's policies are known, so that requests can be decided. */
  readonly ready: boolean;
  /** Sends buffered reports and gives leases back, within the deadline. Idempotent. */
  close(deadlineMs: number): Promise<void>;
}

/** The new decision; `undecided` when the mixer cannot be asked, or a document cannot be evaluated. */
export type Recheck = "allowed" | "refused" | "undecided";

export interface CheckOptions {
  /** True to bypass the cache and ask the mixer for an explanation as well; default false. */
  readonly explain?: boolean;
}

/** The verdict on one request, and how this proxy came by it. */
export interface CheckResult extends Verdict {
  /** Reported as `check.cache_hit` and `quota.cache_hit`. */
  readonly checkCacheHit: boolean;
  readonly quotaCacheHit: boolean;
  /** The reply of a refusal that all requests of a cached decision get; absent: the verdict's own. */
  readonly reply?: HttpReply | undefined;
  /** Set when it was asked for and the mixer could be reached. */
  readonly explanation?: Explanation;
  /** Set when the charges depend on how the request ends. */
  settlement?: ChargeSettlement;
  /** Set when a limit was reached and its policy's `beyond` took a step. */
  beyond?: BeyondResult;
}

/** Effects of the steps beyond a limit on a request. */
export interface BeyondResult {
  readonly events: readonly BeyondEvent[];
  /** Headers to set on the request, which is then routed anew; empty unless it is degraded. */
  readonly headers: readonly SetHeader[];
}

/** The charges of one request that its end settles. */
export interface ChargeSettlement {
  /** Whether a charge reads `response.body`. */
  readonly readsBody: boolean;
  /**
   * Gives back the charges that their policies refund for this fate of the request, and what the others
   * leave of their reservations. Call it once at most.
   *
   * @param fate The request's failure; undefined for none.
   * @param bag The attributes at the request's end.
   */
  settle(fate: RequestFate | undefined, bag: AttributeBag): void;
}

/**
 * Fields are listed one by one: spreading the verdict is ten times slower, for every request that the cache
 * decides.
 */
export function checkResultOf(verdict: Verdict, checkCacheHit: boolean, quotaCacheHit: boolean): CheckResult {
  const { outcome, requestHeaders, responseHeaders, directResponse, quotas, shadowDenials, audits } = verdict;
  const { quotaState, failure } = verdict;
  return {
    outcome,
    requestHeaders,
    responseHeaders,
    directResponse,
    quotas,
    shadowDenials,
    audits,
    quotaState,
    failure,
    checkCacheHit,
    quotaCacheHit,
  };
}

/** A verdict without the help of cache or leases. */
export function uncached(verdict: Verdict): CheckResult {
  return checkResultOf(verdict, false, false);
}
