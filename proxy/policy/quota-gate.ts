// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply } from "../../api/mixer-service.ts";
import type { Decision } from "../../core/check/decision.ts";
import { goesBeyond } from "../../core/quota/beyond/beyond-run.ts";
import type { QuotaCharge, QuotaOutcome, SingleCharge } from "../../core/quota/quota-charge.ts";
import { type QuotaRefusal, refusalOf, refusalOfDelays } from "../../core/quota/refusal.ts";
import { quotaOfStanding, type QuotaStanding, standingOf } from "../../core/quota/standing.ts";
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
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { type ChargeSettlement, type CheckResult, checkResultOf, uncached } from "./check-result.ts";
import type { BeyondGate } from "./beyond/beyond-gate.ts";
import type { RequestLife } from "./beyond/quota-queues.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import {
  failureOf,
  type LeaseOutcome,
  leaseOutcomeOf,
  type QuotaFailure,
  stateOfCharges,
  uncountedCharges,
} from "./lease-outcome.ts";
import { type LeasedCharges, LeasedResult } from "./leased-result.ts";
import { type LeaseManager, type LeasedCharge, leasedCharge } from "./leases/lease-manager.ts";
import type { ChargeResult } from "./leases/lease-pool.ts";
import { usableUntilMs } from "./leases/held-grants.ts";
import { type ChargeSettler, isSettled, joined } from "./charge-settler.ts";
import { ShadowQuotas, type ShadowSlots } from "./shadow-quotas.ts";
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
  /** Whether a charge has steps for the time when its limit is reached. */
  readonly beyond: boolean;
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
    beyond: charges.some(goesBeyond),
    result: sharedResult(verdictOfDecision(decision, NO_QUOTA_FACTS)),
  };
}

/** The result with the reply that it needs if the decision refuses. */
function sharedResult(verdict: Verdict): CheckResult {
  return { ...checkResultOf(verdict, true, false), reply: httpReplyOf(verdict) };
}

/** Where a decision came from. */
interface Origin {
  readonly cacheHit: boolean;
  /** The standings of quotas that the mixer told with the decision. */
  readonly quotas: readonly QuotaStanding[];
}

const CACHED: Origin = { cacheHit: true, quotas: [] };

function freshOf({ quotas }: Verdict): Origin {
  return { cacheHit: false, quotas };
}

/** The decision without its shadow charges, which the mixer has made already. */
function enforcedOnly(decision: Decision, { shadowDenials }: Verdict): CachedDecision {
  const charges = decision.charges.filter(({ mode }) => mode === "enforce");
  return cachedDecision({ ...decision, charges, shadowDenials });
}

/** A LeasedResult has the standing itself. */
const NO_STANDING: QuotaFacts["quotas"] = [];

export interface QuotaGateOptions {
  readonly leases: LeaseManager;
  readonly stats: ClientStats;
  readonly failurePolicy: () => FailurePolicy;
  readonly monotonicMs: () => number;
  readonly settler: ChargeSettler;
  readonly beyond: BeyondGate;
}

/** Charges the quotas of a request that a decision allows. */
export class QuotaGate {
  readonly #options: QuotaGateOptions;
  /** Of the charges at hand; reused by every request that is refused at once. */
  readonly #retryAfterMs: number[] = [];
  readonly #shadow: ShadowQuotas;

  constructor(options: QuotaGateOptions) {
    this.#options = options;
    this.#shadow = new ShadowQuotas(options);
  }

  /**
   * Charges a cached decision's quotas against leases. Returns "stale" when the mixer must be asked again.
   *
   * @param life Tells when the client of a waiting request leaves; absent: it stays.
   */
  pass(cached: CachedDecision, nowMs: number, life?: RequestLife): MaybePromise<CheckResult | "stale"> {
    const { enforced, shadow } = cached;
    if (enforced.length === 0 && shadow.length === 0) return cached.result;
    const { leases, stats } = this.#options;
    stats.quota_calls++;
    if (cached.beyond) {
      const behind = this.#options.beyond.behind(cached.charges);
      if (behind !== undefined) return this.#goBeyond(cached, behind, CACHED, life);
    }
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
      if (goesBeyond(refusal.charge) && !leases.isBlocked(leasedCharge(refusal.charge)))
        return this.#goBeyond(cached, refusal, CACHED, life);
      return this.#refused(cached, outcomeOfRefusal(refusal), true, nowMs, undefined);
    }
    stats.quota_cache_misses++;
    return chain(leases.acquire(enforced, nowMs), (results) => this.#settle(cached, results, CACHED, life));
  }

  /**
   * Admits a request by a fresh decision, which the mixer has already charged. Late grants go back and are
   * asked for again, which may take as long as the check did. Returns "stale" when the mixer must be asked
   * again. A request that is not admitted gives back the slots that the mixer granted it in shadow mode.
   *
   * @param sentMs When the mixer was asked, on the monotonic clock; undefined when it answered synchronously.
   * @param life Tells when the client of a waiting request leaves; absent: it stays.
   */
  admit(
    reply: CheckReply,
    sentMs: number | undefined,
    life?: RequestLife,
  ): MaybePromise<CheckResult | "stale"> {
    const slots = this.#shadow.slotsOf(reply.decision.charges, reply.quotas);
    const admitted = this.#admit(reply, sentMs, life);
    return slots === undefined ? admitted : chain(admitted, (result) => withSlots(result, slots));
  }

  #admit(
    reply: CheckReply,
    sentMs: number | undefined,
    life: RequestLife | undefined,
  ): MaybePromise<CheckResult | "stale"> {
    const verdict = verdictOf(reply.decision, reply.quotas);
    const { leases, stats, monotonicMs } = this.#options;
    const { decision, quotas } = reply;
    stats.quota_shadow_denies += verdict.shadowDenials.length - decision.shadowDenials.length;
    for (const [index, outcome] of quotas.entries())
      leases.observe(decision.charges[index] as QuotaCharge, outcome);
    if (verdict.outcome.kind === "limit") {
      const refusal = refusalOf(decision.charges, quotas);
      if (refusal !== undefined && goesBeyond(refusal.charge))
        return this.#goBeyond(enforcedOnly(decision, verdict), refusal, freshOf(verdict), life);
    }
    if (verdict.outcome.kind !== "allow") return uncached(verdict);
    const granted = decision.charges
      .map((charge, index) => ({ charge, outcome: quotas[index] as QuotaOutcome }))
      .filter(({ charge, outcome }) => charge.mode === "enforce" && isCounted(outcome));
    const behind = this.#options.beyond.behind(decision.charges);
    if (behind !== undefined)
      return chain(leases.giveBackGrants(granted), () => {
        // The first of the queue takes what this request was granted.
        this.#options.beyond.wake(decision.charges);
        return this.#goBeyond(enforcedOnly(decision, verdict), behind, freshOf(verdict), life);
      });
    const nowMs = monotonicMs();
    if (sentMs === undefined || granted.every(({ outcome }) => usableUntilMs(outcome, sentMs) >= nowMs)) {
      const settled = granted.filter(({ charge }) => isSettled(charge));
      if (settled.length === 0) return uncached(verdict);
      const settlement = this.#options.settler.ofGrants(settled);
      return { ...uncached(verdict), settlement: this.#waking(settlement, decision.charges) };
    }
    stats.quota_late += granted.length;
    const charges = granted.map(({ charge }) => charge);
    const again = cachedDecision({ ...decision, charges, shadowDenials: verdict.shadowDenials });
    return chain(leases.giveBackGrants(granted), () =>
      chain(leases.acquire(again.enforced, monotonicMs(), nowMs), (results) =>
        this.#settle(again, results, freshOf(verdict), life),
      ),
    );
  }

  #settle(
    cached: CachedDecision,
    results: readonly ChargeResult[],
    origin: Origin,
    life: RequestLife | undefined,
  ): MaybePromise<CheckResult | "stale"> {
    const { enforced } = cached;
    const { leases, monotonicMs } = this.#options;
    if (results.some(({ kind }) => kind === "stale")) {
      void leases.putBack(results);
      return "stale";
    }
    const outcomes = results.map((result, index) =>
      leaseOutcomeOf(result, (enforced[index] as LeasedCharge).charge),
    );
    const refusal = refusalOf(cached.charges, outcomes);
    if (refusal !== undefined && refusal.failure === undefined && goesBeyond(refusal.charge)) {
      void leases.putBack(results);
      return this.#goBeyond(cached, refusal, origin, life);
    }
    const failed = failureOf(outcomes, cached.state);
    return chain(this.#outcomeOf(cached.charges, refusal, results, outcomes), (outcome) => {
      const nowMs = monotonicMs();
      let result: LeasedResult;
      if (outcome.kind === "allow") {
        result = this.#allowed(cached, false, nowMs, failed);
        if (cached.settles) this.#makeSettled(result, cached, results);
      } else {
        void leases.putBack(results);
        result = this.#refused(cached, outcome, false, nowMs, failed);
      }
      result.checkCacheHit = origin.cacheHit;
      return result;
    });
  }

  /** Takes the steps of `beyond` for a request of which nothing is charged. */
  async #goBeyond(
    cached: CachedDecision,
    refusal: QuotaRefusal<QuotaCharge>,
    { cacheHit, quotas: known }: Origin,
    life: RequestLife | undefined,
  ): Promise<CheckResult | "stale"> {
    const { beyond, monotonicMs, stats, settler } = this.#options;
    const end = await beyond.run(cached.charges, refusal, life);
    if (end.kind === "stale") return "stale";
    const admitted = end.kind === "admitted";
    const nowMs = monotonicMs();
    const events = end.run.events(admitted);
    for (const { effect } of events) {
      if (effect === "queued") stats.quota_queued++;
      else if (effect === "drawn") stats.quota_drawn++;
      else if (effect === "degraded") stats.quota_degraded++;
    }
    const shadow = this.#shadow.charge(cached.shadow, nowMs);
    const facts: QuotaFacts = {
      quotas: this.#standings(admitted ? end.run.become.flat() : cached.charges, known, nowMs),
      state: admitted ? stateOfCharges(end.charges) : cached.state,
      ...end.failed,
      shadowQuotas: shadow.refused,
    };
    const verdict = admitted
      ? verdictOfDecision(cached.decision, facts)
      : refusedVerdict(cached.decision, end.outcome, facts);
    const result = checkResultOf(verdict, cacheHit, false);
    if (events.length > 0) result.beyond = { events, headers: admitted ? end.run.headers : [] };
    if (admitted && end.charges.some(isSettled))
      result.settlement = this.#waking(settler.ofLeases(end.charges, end.results), cached.charges);
    if (shadow.slots !== undefined) withSlots(result, shadow.slots);
    return result;
  }

  /** The standing of each quota that is known here, or that the mixer told with the decision. */
  #standings(
    charges: readonly SingleCharge[],
    known: readonly QuotaStanding[],
    nowMs: number,
  ): readonly QuotaStanding[] {
    const { leases } = this.#options;
    const numbers = [0, 0];
    return charges.flatMap((charge): readonly QuotaStanding[] => {
      if (charge.hidden !== undefined) return [];
      leases.writeStanding(leasedCharge(charge), nowMs, numbers, 0);
      const [remaining, resetMs] = numbers as [number, number];
      if (remaining < 0) return known.filter(({ policy }) => policy === charge.policy);
      return [standingOf(quotaOfStanding(charge), { remaining, resetMs })];
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
    const { refused: shadowQuotas, slots } = this.#shadow.charge(shadow, nowMs);
    slots?.settle();
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
    const { refused: shadowQuotas, slots } = this.#shadow.charge(shadow, nowMs);
    const verdict = verdictOfDecision(decision, { quotas: NO_STANDING, ...failed, shadowQuotas });
    const shown = new LeasedResult(verdict, quotaCacheHit, cached, numbers);
    if (slots !== undefined) shown.settlement = slots;
    return shown;
  }

  /** Adds the settlement to a result whose charges depend on how the request ends. */
  #makeSettled(result: LeasedResult, { charges }: CachedDecision, taken: readonly ChargeResult[]): void {
    const own = this.#waking(this.#options.settler.ofLeases(charges, taken), charges);
    result.settlement = joined(own, result.settlement);
  }

  /** A settlement that lets requests which wait for the charges' quotas try. */
  #waking(settlement: ChargeSettlement, charges: readonly QuotaCharge[]): ChargeSettlement {
    return charges.some(goesBeyond) ? this.#options.beyond.waking(settlement, charges) : settlement;
  }

  /**
   * The request's outcome from its charges' results; charges that nobody has counted yet are counted locally
   * here.
   */
  #outcomeOf(
    charges: readonly QuotaCharge[],
    refusal: QuotaRefusal<QuotaCharge> | undefined,
    results: readonly ChargeResult[],
    outcomes: readonly LeaseOutcome[],
  ): MaybePromise<VerdictOutcome> {
    if (refusal !== undefined) return outcomeOfRefusal(refusal);
    const local = uncountedCharges(charges, results, outcomes);
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
}

/** Has the end of an admitted request release its slots; otherwise they are released at once. */
function withSlots(result: CheckResult | "stale", slots: ShadowSlots): CheckResult | "stale" {
  if (result === "stale" || result.outcome.kind !== "allow") slots.settle();
  else result.settlement = joined(slots, result.settlement);
  return result;
}

/** Whether a store counted a part of the charge. */
function isCounted({ granted, failure }: QuotaOutcome): boolean {
  return granted > 0 && failure === undefined;
}
