// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../core/attributes/bag.ts";
import type { Decision } from "../core/check/decision.ts";
import type { QuotaCharge, QuotaOutcome } from "../core/quota/quota-charge.ts";
import type { Explanation } from "../core/explain/explanation.ts";
import type { PolicyDocument } from "../core/snapshot/policy-document.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";

/**
 * What a proxy asks of a mixer, in the same process or behind any protocol. `api/json/` has the form of each message in
 * JSON.
 */
export interface MixerService {
  /** Decides one request and, when it is allowed, charges its quotas exactly, all or none. */
  check(request: CheckRequest, options?: CallOptions): MaybePromise<CheckReply>;
  /** Asks for more of quotas that an earlier decision named, or gives some back. */
  allocate(request: AllocateRequest, options?: CallOptions): MaybePromise<AllocateReply>;
  /** Tells what happened. Resolves when the mixer has the bags, not when the backends have. */
  report(request: ReportRequest, options?: CallOptions): MaybePromise<void>;
  /**
   * Calls `listener` with the policy state now, when known, and after each change, until stopped. A remote one
   * reconnects by itself.
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
  /** The address that a remote proxy's calls come from, as the mixer's server sees it; absent within a process. */
  readonly address?: string;
}

/** The longest `useWithinMs` that counts: a longer round trip is a failure. */
export const MAX_USE_WITHIN_MS = 1_000;

export interface CheckRequest {
  readonly attributes: AttributeBag;
  /** One id for a call and all its retries. */
  readonly deduplicationId: string;
  /**
   * How long after the sending the caller may still let the request pass, in milliseconds: quotas count as used at the
   * end of that time, MAX_USE_WITHIN_MS at most, and each outcome's `validForMs` says what is granted of it. Default 0: at once.
   */
  readonly useWithinMs?: number;
  /** True to decide without charging quotas; default false. */
  readonly withoutQuotas?: boolean;
  /** True to have the reply say why, at many times the cost of deciding; default false. */
  readonly explain?: boolean;
}

export interface CheckReply {
  /** Which set of documents decided: PolicyState.version. */
  readonly version: string;
  readonly decision: Decision;
  /** One for each of `decision.charges`, in order. */
  readonly quotas: readonly QuotaOutcome[];
  /** When it was asked for; docs/explain.md describes it. */
  readonly explanation?: Explanation;
}

export interface AllocateRequest {
  readonly version: string;
  readonly deduplicationId: string;
  readonly charges: readonly AllocateCharge[];
}

export interface AllocateCharge extends Pick<QuotaCharge, "policy" | "cell" | "limit" | "leaseMs"> {
  /** Negative gives back; then `slot` names the grant it came from. */
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
      /** Charges, by index, that were not made because they mean nothing any more; absent when there are none. */
      readonly stale?: StaleCharges;
    }
  /** The documents have changed so that none of these charges means anything any more: check again. */
  | { readonly kind: "stale"; readonly version: string };

export interface ReportRequest {
  /** Complete bags, each on its own. */
  readonly bags: readonly AttributeBag[];
  /** One id for a report and all its retries: a mixer takes it once. Absent: it is taken each time. */
  readonly deduplicationId?: string;
}

/** What a proxy must know to use cached decisions, and to do without the mixer for a while. */
export interface PolicyState {
  /** Changes whenever the documents do; the same on every mixer that has the same documents. */
  readonly version: string;
  /** How many proxies share the limits, for `onStoreFailure: local`. */
  readonly proxies: number;
  /** Every enforced AccessPolicy, QuotaPolicy and check Rule as its document writes it, in document order. */
  readonly policies: readonly PolicyDocument[];
}
