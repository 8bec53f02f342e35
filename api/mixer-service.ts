// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../core/attributes/bag.ts";
import type { Decision } from "../core/check/decision.ts";
import type { QuotaCharge, QuotaOutcome } from "../core/quota/quota-charge.ts";
import type { Explanation } from "../core/explain/explanation.ts";
import type { PolicyDocument } from "../core/snapshot/policy-document.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";

/**
 * A proxy's interface to a mixer, in the same process or over any protocol. `api/json/` defines each message
 * in JSON.
 */
export interface MixerService {
  /** Decides one request and, when it is allowed, charges its quotas exactly, all or none. */
  check(request: CheckRequest, options?: CallOptions): MaybePromise<CheckReply>;
  /** Asks for more of the quotas of an earlier decision, or gives amounts back. */
  allocate(request: AllocateRequest, options?: CallOptions): MaybePromise<AllocateReply>;
  /** Reports finished requests. Resolves when the mixer has the bags, not when the backends have them. */
  report(request: ReportRequest, options?: CallOptions): MaybePromise<void>;
  /**
   * Calls `listener` with the current policy state, if known, and after each change, until stopped. A remote
   * implementation reconnects by itself.
   */
  watch(node: ProxyIdentity, listener: (state: PolicyState) => void): () => void;
}

export interface CallOptions {
  /** Aborts the call; the promise rejects with PURSER_MIXER_UNAVAILABLE. */
  readonly signal?: { readonly aborted: boolean };
}

export interface ProxyIdentity {
  /** Unique among proxies: role~workload~host~process. */
  readonly id: string;
  /** The address of a remote proxy, as the mixer's server sees it; absent within a process. */
  readonly address?: string;
}

/** Maximum effective `useWithinMs`: a longer round trip counts as a failure. */
export const MAX_USE_WITHIN_MS = 1_000;

export interface CheckRequest {
  readonly attributes: AttributeBag;
  /** The same id for a call and all its retries. */
  readonly deduplicationId: string;
  /**
   * Time after sending in which the caller may still forward the request, in milliseconds: quotas count as
   * used at the end of it, at most MAX_USE_WITHIN_MS, and each outcome's `validForMs` is the granted part.
   * Default 0: at once.
   */
  readonly useWithinMs?: number;
  /** True to decide without charging quotas; default false. */
  readonly withoutQuotas?: boolean;
  /**
   * True for a caller that cannot take the steps of charges' `beyond` itself: the mixer draws and degrades, and
   * skips queues. The decision in the reply then has the charges that were made and the headers of a degraded
   * request, and is valid for this request only. Default false.
   */
  readonly applyBeyond?: boolean;
  /** True to add an explanation to the reply, at many times the cost of a decision; default false. */
  readonly explain?: boolean;
}

export interface CheckReply {
  /** Version of the documents that decided: PolicyState.version. */
  readonly version: string;
  readonly decision: Decision;
  /** One for each of `decision.charges`, in order. */
  readonly quotas: readonly QuotaOutcome[];
  /** Only on request; docs/guides/explain.md describes it. */
  readonly explanation?: Explanation;
}

export interface AllocateRequest {
  readonly version: string;
  readonly deduplicationId: string;
  readonly charges: readonly AllocateCharge[];
}

export interface AllocateCharge extends Pick<QuotaCharge, "policy" | "cell" | "limit" | "leaseMs"> {
  /** A negative amount gives back; then `slot` names the grant. */
  readonly amount: number;
  readonly bestEffort: boolean;
  readonly slot?: number;
}

export interface StaleCharges {
  readonly version: string;
  readonly charges: readonly number[];
}

export type AllocateReply =
  | {
      readonly kind: "granted";
      /** One for each charge, in order. */
      readonly quotas: readonly QuotaOutcome[];
      /**
       * Charges, by index, that were not made because no policy in force has them; absent when there are
       * none.
       */
      readonly stale?: StaleCharges;
    }
  /** The documents have changed so that no policy in force has any of these charges: check again. */
  | { readonly kind: "stale"; readonly version: string };

export interface ReportRequest {
  /** Complete bags, each on its own. */
  readonly bags: readonly AttributeBag[];
  /**
   * The same id for a report and all its retries: a mixer accepts it once. Absent: it is accepted each time.
   */
  readonly deduplicationId?: string;
}

/** Policies for using cached decisions, and for deciding while the mixer is unavailable. */
export interface PolicyState {
  /** Changes with the documents; the same on every mixer with the same documents. */
  readonly version: string;
  /** Number of proxies that share the limits, for `onStoreFailure: local`. */
  readonly proxies: number;
  /** Every enforced AccessPolicy, QuotaPolicy and check Rule as its document writes it, in document order. */
  readonly policies: readonly PolicyDocument[];
}
