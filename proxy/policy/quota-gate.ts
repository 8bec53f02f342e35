// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply } from "../../api/mixer-service.ts";
import type { Decision } from "../../core/check/decision.ts";
import { type DocumentRef, quotaPolicyRef } from "../../core/check/document-ref.ts";
import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import { STORE_RETRY_AFTER_MS } from "../../core/quota/charge-all.ts";
import { lessExact, type QuotaState, stateOfFailure } from "../../core/quota/quota-state.ts";
import { quotaOfStanding } from "../../core/quota/standing.ts";
import { type QuotaRefusal, refusalOf, refusalOfDelays } from "../../core/quota/refusal.ts";
import { PreparedRateLimit } from "../../core/verdict/rate-limit-fields.ts";
import { httpReplyOf } from "../../core/verdict/reply.ts";
import type { Verdict, VerdictOutcome } from "../../core/verdict/verdict.ts";
import {
  NO_QUOTA_FACTS,
  type QuotaFacts,
  refusedVerdict,
  verdictOf,
  verdictOfDecision,
} from "../../core/verdict/verdict-of.ts";
import { ALLOWED, outcomeOfRefusal } from "../../core/verdict/verdict-outcome.ts";
import { chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { type CheckResult, checkResultOf, uncached } from "./check-result.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import { type LeasedCharges, LeasedResult } from "./leased-result.ts";
import { type LeaseManager, type LeasedCharge, leasedCharge } from "./leases/lease-manager.ts";
import type { ChargeResult } from "./leases/lease-pool.ts";
import { usableUntilMs } from "./leases/held-grants.ts";
import { type ChargeSettler, isSettled } from "./charge-settler.ts";
import type { ClientStats } from "./stats.ts";

/** A decision to be reused, with values computed once for all its reuses. */
export interface CachedDecision extends LeasedCharges {
  readonly decision: Decision;
  /** The charges of `enforced`, in the same order. */
  readonly charges: readonly QuotaCharge[];
  readonly shadow: readonly LeasedCharge[];
  readonly enforced: readonly LeasedCharge[];
  /** Two for each shown charge. */
  readonly zeros: readonly number[];
  /** Whether a charge depends on how the request ends. */
  readonly settles: boolean;
  /** The result when no quota refuses, without the quotas' standing: the whole result when there is none. */
  readonly result: CheckResult;
}

export function cachedDecision(decision: Decision): CachedDecision {
  const charges = decision.charges.filter(({ mode }) => mode === "enforce");
  const enforced = charges.map(leasedCharge);
  const shown = enforced.filter(({ charge }) => charge.hidden === undefined);
  return {
    decision,
    enforced,
    charges,
    shown,
    state: stateOfCharges(charges),
    shadow: decision.charges.filter(({ mode }) => mode === "shadow").map(leasedCharge),
    rateLimit: new PreparedRateLimit(shown.map(({ charge }) => quotaOfStanding(charge))),
    zeros: shown.flatMap(() => [0, 0]),
    settles: charges.some(isSettled),
    result: sharedResult(verdictOfDecision(decision, NO_QUOTA_FACTS)),
  };
}

/** Charges without a lease are counted by their store for each request. */
function stateOfCharges(charges: readonly QuotaCharge[]): QuotaState | undefined {
  if (charges.length === 0) return undefined;
  return charges.some(({ leaseMs }) => leaseMs > 0) ? "leased" : "exact";
}

/** The result with the reply that it needs if the decision refuses. */
function sharedResult(verdict: Verdict): CheckResult {
  return { ...checkResultOf(verdict, true, false), reply: httpReplyOf(verdict) };
}

const NONE: readonly DocumentRef[] = [];
/** A LeasedResult has the standing itself. */
const NO_STANDING: QuotaFacts["quotas"] = [];

export interface QuotaGateOptions {
  readonly leases: LeaseManager;
  readonly stats: ClientStats;
  readonly failurePolicy: () => FailurePolicy;
  readonly monotonicMs: () => number;
  readonly settler: ChargeSettler;
}

/** Charges the quotas of a request that a decision allows. */
export class QuotaGate {
  readonly #options: QuotaGateOptions;
  /** Of the charges at hand; reused by every request that is refused at once. */
  readonly #retryAfterMs: number[] = [];

  constructor(options: QuotaGateOptions) {
    this.#options = options;
  }

  /**
   * Charges a cached decision's quotas against leases. Returns "stale" when the mixer must be asked again.
   */
  pass(cached: CachedDecision, nowMs: number): MaybePromise<CheckResult | "stale"> {
    const { enforced, shadow } = cached;
    if (enforced.length === 0 && shadow.length === 0) return cached.result;
    const { leases, stats } = this.#options;
    stats.quota_calls++;
    const taken: ChargeResult[] | undefined = cached.settles ? [] : undefined;
    if (leases.takeAtOnce(enforced, nowMs, taken)) {
      stats.quota_cache_hits++;
      stats.quota_cache_hit_accepts++;
      const result = this.#allowed(cached, true, nowMs, undefined);
      if (taken !== undefined) this.#makeSettled(result, cached, taken);
      return result;
    }
    if (leases.refuseAtOnce(enforced, nowMs, this.#retryAfterMs)) {
      stats.quota_cache_hits++;
      stats.quota_cache_hit_denies++;
      const refusal = refusalOfDelays(cached.charges, this.#retryAfterMs) as QuotaRefusal<QuotaCharge>;
      return this.#refused(cached, outcomeOfRefusal(refusal), true, nowMs, undefined);
    }
    stats.quota_cache_misses++;
    return chain(leases.acquire(enforced, nowMs), (results) => this.#settle(cached, results, false));
  }

  /**
   * Admits a request by a fresh decision, which the mixer has already charged. Late grants go back and are
   * asked for again, which may take as long as the check did. Returns "stale" when the mixer must be asked
   * again.
   *
   * @param sentMs When the mixer was asked, on the monotonic clock; undefined when it answered synchronously.
   */
  admit(reply: CheckReply, sentMs: number | undefined): MaybePromise<CheckResult | "stale"> {
    const verdict = verdictOf(reply.decision, reply.quotas);
    const { leases, stats, monotonicMs } = this.#options;
    const { decision, quotas } = reply;
    stats.quota_shadow_denies += verdict.shadowDenials.length - decision.shadowDenials.length;
    for (const [index, outcome] of quotas.entries())
      leases.observe(decision.charges[index] as QuotaCharge, outcome);
    if (verdict.outcome.kind !== "allow") return uncached(verdict);
    const granted = decision.charges
      .map((charge, index) => ({ charge, outcome: quotas[index] as QuotaOutcome }))
      .filter(({ charge, outcome }) => charge.mode === "enforce" && isCounted(outcome));
    const nowMs = monotonicMs();
    if (sentMs === undefined || granted.every(({ outcome }) => usableUntilMs(outcome, sentMs) >= nowMs)) {
      const settled = granted.filter(({ charge }) => isSettled(charge));
      if (settled.length === 0) return uncached(verdict);
      return { ...uncached(verdict), settlement: this.#options.settler.ofGrants(settled) };
    }
    stats.quota_late += granted.length;
    const charges = granted.map(({ charge }) => charge);
    const again = cachedDecision({ ...decision, charges, shadowDenials: verdict.shadowDenials });
    return chain(leases.giveBackGrants(granted), () =>
      chain(leases.acquire(again.enforced, monotonicMs(), nowMs), (results) =>
        chain(this.#settle(again, results, false), (settled) => {
          if (settled !== "stale") settled.checkCacheHit = false;
          return settled;
        }),
      ),
    );
  }

  #settle(
    cached: CachedDecision,
    results: readonly ChargeResult[],
    cacheHit: boolean,
  ): MaybePromise<LeasedResult | "stale"> {
    const { enforced } = cached;
    const { leases, monotonicMs } = this.#options;
    if (results.some(({ kind }) => kind === "stale")) {
      void leases.putBack(results);
      return "stale";
    }
    const outcomes = results.map((result, index) => outcomeOf(result, enforced[index] as LeasedCharge));
    const failed = failureOf(outcomes, cached.state);
    return chain(this.#outcomeOf(cached.charges, results, outcomes), (outcome) => {
      const nowMs = monotonicMs();
      if (outcome.kind === "allow") {
        const result = this.#allowed(cached, cacheHit, nowMs, failed);
        if (cached.settles) this.#makeSettled(result, cached, results);
        return result;
      }
      void leases.putBack(results);
      return this.#refused(cached, outcome, cacheHit, nowMs, failed);
    });
  }

  #refused(
    cached: CachedDecision,
    outcome: VerdictOutcome,
    quotaCacheHit: boolean,
    nowMs: number,
    failed: QuotaFailure | undefined,
  ): LeasedResult {
    const { decision, shadow } = cached;
    const numbers = this.#standing(cached, nowMs);
    const shadowQuotas = this.#chargeInShadow(shadow, nowMs);
    const verdict = refusedVerdict(decision, outcome, { quotas: NO_STANDING, ...failed, shadowQuotas });
    return new LeasedResult(verdict, quotaCacheHit, cached, numbers);
  }

  #allowed(
    cached: CachedDecision,
    quotaCacheHit: boolean,
    nowMs: number,
    failed: QuotaFailure | undefined,
  ): LeasedResult {
    const { decision, result, shadow } = cached;
    const numbers = this.#standing(cached, nowMs);
    if (shadow.length === 0 && failed === undefined)
      return new LeasedResult(result, quotaCacheHit, cached, numbers);
    const shadowQuotas = this.#chargeInShadow(shadow, nowMs);
    const verdict = verdictOfDecision(decision, { quotas: NO_STANDING, ...failed, shadowQuotas });
    return new LeasedResult(verdict, quotaCacheHit, cached, numbers);
  }

  /** Adds the settlement to a result whose charges depend on how the request ends. */
  #makeSettled(result: LeasedResult, { charges }: CachedDecision, taken: readonly ChargeResult[]): void {
    result.settlement = this.#options.settler.ofLeases(charges, taken);
  }

  /**
   * The request's outcome from its charges' results; charges that nobody has counted yet are counted locally
   * here.
   */
  #outcomeOf(
    charges: readonly QuotaCharge[],
    results: readonly ChargeResult[],
    outcomes: readonly LeaseOutcome[],
  ): MaybePromise<VerdictOutcome> {
    const refusal = refusalOf(charges, outcomes);
    if (refusal !== undefined) return outcomeOfRefusal(refusal);
    const local = charges.filter((_, index) => isUncounted(results[index], outcomes[index]));
    return local.length === 0 ? ALLOWED : this.#options.failurePolicy().admitLocally(local);
  }

  /** `remaining` and `resetMs` of each shown charge's quota; `remaining` is -1 while it is not known. */
  #standing({ shown, zeros }: CachedDecision, nowMs: number): readonly number[] {
    const { leases } = this.#options;
    // A copy has exactly the length that is needed; an empty array that grows takes room for 17 numbers.
    const numbers = zeros.slice();
    for (let index = 0; index < shown.length; index++)
      leases.writeStanding(shown[index] as LeasedCharge, nowMs, numbers, 2 * index);
    return numbers;
  }

  /**
   * Charges quotas in shadow mode without ever delaying the request: a refusal that is not known at once is
   * counted later.
   */
  #chargeInShadow(shadow: readonly LeasedCharge[], nowMs: number): readonly DocumentRef[] {
    if (shadow.length === 0) return NONE;
    const { leases, stats } = this.#options;
    const refused: DocumentRef[] = [];
    for (const leased of shadow) {
      const one = [leased];
      if (leases.takeAtOnce(one, nowMs)) continue;
      const result = leases.refuseAtOnce(one, nowMs, this.#retryAfterMs)
        ? true
        : chain(leases.acquire(one, nowMs), ([only]) => only?.kind === "refused");
      if (isPromise(result)) {
        void result.then((refuses) => {
          if (refuses) stats.quota_shadow_denies++;
        });
      } else if (result) {
        stats.quota_shadow_denies++;
        refused.push(quotaPolicyRef(leased.charge.policy));
      }
    }
    return refused;
  }
}

/** Whether a store counted a part of the charge. */
function isCounted({ granted, failure }: QuotaOutcome): boolean {
  return granted > 0 && failure === undefined;
}

type LeaseOutcome = Pick<QuotaOutcome, "granted" | "retryAfterMs" | "failure">;

/**
 * A charge's result as a mixer would report it. A charge that is to be counted locally passes as granted
 * until then.
 */
function outcomeOf(result: ChargeResult, { charge }: LeasedCharge): LeaseOutcome {
  switch (result.kind) {
    case "taken":
      return { granted: charge.amount, retryAfterMs: 0 };
    case "refused":
      return { granted: 0, retryAfterMs: result.retryAfterMs };
    case "withdrawn":
    case "stale":
      return { granted: 0, retryAfterMs: 0 };
    case "failed": {
      const { code, applied = charge.onStoreFailure } = result;
      const failure = { code, applied };
      return applied === "deny"
        ? { granted: 0, retryAfterMs: STORE_RETRY_AFTER_MS, failure }
        : { granted: charge.amount, retryAfterMs: 0, failure };
    }
  }
}

/** The failure of a request's charges, and how they are counted in spite of it. */
type QuotaFailure = Required<Pick<QuotaFacts, "failure" | "state">>;

/** @param counted The state of the charges that did not fail. */
function failureOf(
  outcomes: readonly LeaseOutcome[],
  counted: QuotaState | undefined,
): QuotaFailure | undefined {
  let failure: QuotaFacts["failure"];
  let state: QuotaState | undefined;
  for (const outcome of outcomes) {
    if (outcome.failure === undefined) state = lessExact(state, counted);
    else {
      failure ??= outcome.failure;
      state = lessExact(state, stateOfFailure(outcome.failure));
    }
  }
  return failure === undefined ? undefined : { failure, state };
}

/** Whether a charge failed whose policy says `onStoreFailure: local`, and the mixer has not counted it. */
function isUncounted(result: ChargeResult | undefined, outcome: LeaseOutcome | undefined): boolean {
  return result?.kind === "failed" && result.applied === undefined && outcome?.failure?.applied === "local";
}
