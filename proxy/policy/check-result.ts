// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { RequestFate } from "../../core/quota/quota-definition.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";

/** What the filters need of the mixer; behind it are the cache, the leases, the batches and the fallbacks. */
export interface PolicyClient {
  /** Decides at once when the cache and the leases have the answer; never rejects. */
  check(bag: AttributeBag, options?: CheckOptions): MaybePromise<CheckResult>;
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

/** The verdict on one request, and how this proxy came by it. */
export interface CheckResult extends Verdict {
  /** For the report: `check.cache_hit` and `quota.cache_hit`. */
  readonly checkCacheHit: boolean;
  readonly quotaCacheHit: boolean;
  /** When it was asked for, and the mixer could be. */
  readonly explanation?: Explanation;
  /** Gives back the charges that their policies want back for such a fate; set when there may be some. Called once at most. */
  readonly giveBack?: (fate: RequestFate) => void;
}

/** Written out, because spreading the verdict takes ten times as long, for every request that the cache decides. */
export function checkResultOf(verdict: Verdict, checkCacheHit: boolean, quotaCacheHit: boolean): CheckResult {
  const { outcome, requestHeaders, responseHeaders, directResponse, quotas, shadowDenials, audits, failure } =
    verdict;
  return {
    outcome,
    requestHeaders,
    responseHeaders,
    directResponse,
    quotas,
    shadowDenials,
    audits,
    failure,
    checkCacheHit,
    quotaCacheHit,
  };
}

/** A verdict that neither the cache nor the leases had a part in. */
export function uncached(verdict: Verdict): CheckResult {
  return checkResultOf(verdict, false, false);
}
