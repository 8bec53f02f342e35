// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply } from "../../api/mixer-service.ts";
import type { Decision } from "../../core/check/decision.ts";
import type { QuotaCharge, QuotaOutcome, RequestFate } from "../../core/quota/quota-charge.ts";
import type { DocumentRef } from "../../core/check/document-ref.ts";
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import { type QuotaStanding, standingOf } from "../../core/quota/rate-limit-fields.ts";
import { refusalOf } from "../../core/quota/refusal.ts";
import type { FailurePolicy } from "./failure-policy.ts";
import { type LeaseBook, type LeasedCharge, leasedCharge } from "./leases/lease-book.ts";
import type { ChargeResult } from "./leases/lease-pool.ts";
import { usableUntilMs } from "./leases/lots.ts";
import type { ClientStats } from "./stats.ts";
import type { Verdict } from "./verdict.ts";
import {
  failed,
  failureOf,
  outcomeOfRefusal,
  limited,
  type Outcome,
  quotaRef,
  refusedVerdict,
  type VerdictFacts,
  verdictOf,
} from "./verdict-of.ts";

/** A decision to be reused, with what every reuse needs worked out once. */
export interface CachedDecision {
  readonly decision: Decision;
  readonly enforced: readonly LeasedCharge[];
  readonly shadow: readonly LeasedCharge[];
  /** Whether a policy may want a charge back. */
  readonly givesBack: boolean;
  /** The whole verdict, where no quota makes each request's different. */
  readonly verdict: Verdict | undefined;
}

export function cachedDecision(decision: Decision): CachedDecision {
  const charges = decision.charges.map(leasedCharge);
  const hit: VerdictFacts = { checkCacheHit: true, quotaCacheHit: false, quotas: [], shadowQuotas: [] };
  return {
    decision,
    enforced: charges.filter(({ charge }) => charge.mode === "enforce"),
    shadow: charges.filter(({ charge }) => charge.mode === "shadow"),
    givesBack: decision.charges.some(({ giveBackOn }) => giveBackOn !== undefined),
    verdict: charges.length === 0 ? verdictOf(decision, hit) : undefined,
  };
}

const NONE: readonly DocumentRef[] = [];

export interface QuotaGateOptions {
  readonly leases: LeaseBook;
  readonly stats: ClientStats;
  readonly failurePolicy: () => FailurePolicy;
  readonly monotonicMs: () => number;
}

/** Lets a request that a decision allows through its quotas. */
export class QuotaGate {
  readonly #options: QuotaGateOptions;

  constructor(options: QuotaGateOptions) {
    this.#options = options;
  }

  /** A reused decision: charges against leases. "stale" when the mixer must be asked again. */
  pass(cached: CachedDecision, nowMs: number): MaybePromise<Verdict | "stale"> {
    if (cached.verdict !== undefined) return cached.verdict;
    const { leases, stats } = this.#options;
    const { enforced } = cached;
    stats.quota_calls++;
    const taken: ChargeResult[] | undefined = cached.givesBack ? [] : undefined;
    if (leases.takeAtOnce(enforced, nowMs, taken)) {
      stats.quota_cache_hits++;
      stats.quota_cache_hit_accepts++;
      const verdict = verdictOf(cached.decision, this.#facts(cached, true, nowMs));
      return taken === undefined ? verdict : this.#returnable(verdict, cached, taken);
    }
    const refused = leases.refuseAtOnce(enforced, nowMs);
    if (refused !== undefined) {
      stats.quota_cache_hits++;
      stats.quota_cache_hit_denies++;
      return this.#settle(cached, refused, true);
    }
    stats.quota_cache_misses++;
    return chain(leases.acquire(enforced, nowMs), (results) => this.#settle(cached, results, false));
  }

  /**
   * A decision that the mixer has just made, and charged. Grants that came when the time to use them was over go back and
   * are asked for again, which may take as long as the check did. "stale" when the mixer must be asked again.
   *
   * @param sentMs When the mixer was asked, on the monotonic clock; undefined when it answered before the asking returned.
   */
  admit(reply: CheckReply, sentMs: number | undefined): MaybePromise<Verdict | "stale"> {
    const verdict = this.#admit(reply);
    if (verdict.outcome.kind !== "allow") return verdict;
    const { leases, stats, monotonicMs } = this.#options;
    const { decision, quotas } = reply;
    const granted = decision.charges
      .map((charge, index) => ({ charge, outcome: quotas[index] as QuotaOutcome }))
      .filter(({ charge, outcome }) => charge.mode === "enforce" && isCounted(outcome));
    const nowMs = monotonicMs();
    if (sentMs === undefined || granted.every(({ outcome }) => usableUntilMs(outcome, sentMs) >= nowMs)) {
      if (granted.every(({ charge }) => charge.giveBackOn === undefined)) return verdict;
      return {
        ...verdict,
        giveBack: (fate) =>
          void leases.giveBackGrants(granted.filter(({ charge }) => isGivenBack(charge, fate))),
      };
    }
    stats.quota_late += granted.length;
    const charges = granted.map(({ charge }) => charge);
    const again = cachedDecision({ ...decision, charges, shadowDenials: verdict.shadowDenials });
    return chain(leases.giveBackGrants(granted), () =>
      chain(leases.acquire(again.enforced, monotonicMs(), nowMs), (results) =>
        chain(this.#settle(again, results, false), (settled) =>
          settled === "stale" ? settled : { ...settled, checkCacheHit: false },
        ),
      ),
    );
  }

  #admit({ decision, quotas }: CheckReply): Verdict {
    const { charges } = decision;
    const standings: QuotaStanding[] = [];
    const shadowQuotas: DocumentRef[] = [];
    const enforced: { readonly charge: QuotaCharge; readonly outcome: QuotaOutcome }[] = [];
    for (const [index, charge] of charges.entries()) {
      const outcome = quotas[index];
      if (outcome === undefined) continue;
      this.#options.leases.observe(charge, outcome);
      if (charge.mode === "enforce") {
        enforced.push({ charge, outcome });
        if (outcome.failure === undefined) standings.push(standingOf(charge, outcome));
      } else if (outcome.granted < charge.amount) {
        shadowQuotas.push(quotaRef(charge.policy));
      }
    }
    this.#options.stats.quota_shadow_denies += shadowQuotas.length;
    const failure = enforced.find(({ outcome }) => outcome.failure !== undefined)?.outcome.failure;
    const facts: VerdictFacts = {
      checkCacheHit: false,
      quotaCacheHit: false,
      quotas: standings,
      shadowQuotas,
      ...(failure === undefined ? {} : { failure }),
    };
    const refusal = refusalOf(charges, quotas);
    return refusal === undefined
      ? verdictOf(decision, facts)
      : refusedVerdict(decision, outcomeOfRefusal(refusal), facts);
  }

  #settle(
    cached: CachedDecision,
    results: readonly ChargeResult[],
    cacheHit: boolean,
  ): MaybePromise<Verdict | "stale"> {
    const { decision, enforced } = cached;
    const { leases, monotonicMs } = this.#options;
    if (results.some(({ kind }) => kind === "stale")) {
      void leases.putBack(results);
      return "stale";
    }
    const failure = failureAmong(enforced, results);
    return chain(this.#outcomeOf(enforced, results), (outcome) => {
      const accepted = outcome === undefined;
      if (!accepted) void leases.putBack(results);
      const facts = {
        ...this.#facts(cached, cacheHit, monotonicMs()),
        ...(failure === undefined ? {} : { failure }),
      };
      if (!accepted) return refusedVerdict(decision, outcome, facts);
      const verdict = verdictOf(decision, facts);
      return cached.givesBack ? this.#returnable(verdict, cached, results) : verdict;
    });
  }

  /** With the way to give back what was taken, for the policies that want it. */
  #returnable(verdict: Verdict, { enforced }: CachedDecision, taken: readonly ChargeResult[]): Verdict {
    const wants = (fate: RequestFate) => (_: ChargeResult, index: number) =>
      isGivenBack((enforced[index] as LeasedCharge).charge, fate);
    return {
      ...verdict,
      giveBack: (fate) => void this.#options.leases.putBack(taken.filter(wants(fate))),
    };
  }

  /** What refuses, the first in document order; undefined when nothing does. */
  #outcomeOf(
    enforced: readonly LeasedCharge[],
    results: readonly ChargeResult[],
  ): MaybePromise<Outcome | undefined> {
    const local: QuotaCharge[] = [];
    for (const [index, result] of results.entries()) {
      const { charge } = enforced[index] as LeasedCharge;
      if (result.kind === "refused") return limited(charge.policy, charge.message, result.retryAfterMs);
      if (result.kind !== "failed") continue;
      if ((result.applied ?? charge.onStoreFailure) === "deny")
        return failed(result.code, quotaRef(charge.policy));
      if (result.applied === undefined && charge.onStoreFailure === "local") local.push(charge);
    }
    if (local.length === 0) return undefined;
    return chain(this.#options.failurePolicy().admitLocally(local), (outcome) =>
      outcome.kind === "allow" ? undefined : outcome,
    );
  }

  #facts({ enforced, shadow }: CachedDecision, quotaCacheHit: boolean, nowMs: number): VerdictFacts {
    const quotas: QuotaStanding[] = [];
    for (const leased of enforced) {
      const standing = this.#options.leases.standing(leased, nowMs);
      if (standing !== undefined) quotas.push(standing);
    }
    return {
      checkCacheHit: true,
      quotaCacheHit,
      quotas,
      shadowQuotas: shadow.length === 0 ? NONE : this.#chargeInShadow(shadow, nowMs),
    };
  }

  /** Counts without ever holding the request up: a refusal that is not known at once is counted when it is. */
  #chargeInShadow(shadow: readonly LeasedCharge[], nowMs: number): readonly DocumentRef[] {
    const { leases, stats } = this.#options;
    const refused: DocumentRef[] = [];
    for (const leased of shadow) {
      const one = [leased];
      if (leases.takeAtOnce(one, nowMs)) continue;
      const results = leases.refuseAtOnce(one, nowMs) ?? leases.acquire(one, nowMs);
      const result = chain(results, ([only]) => {
        const refuses = only?.kind === "refused";
        if (refuses) stats.quota_shadow_denies++;
        return refuses;
      });
      if (result === true) refused.push(quotaRef(leased.charge.policy));
    }
    return refused;
  }
}

function isGivenBack({ giveBackOn }: QuotaCharge, fate: RequestFate): boolean {
  return giveBackOn === "failure" || giveBackOn === fate;
}

/** Whether a store counted something of the charge. */
function isCounted({ granted, failure }: QuotaOutcome): boolean {
  return granted > 0 && failure === undefined;
}

function failureAmong(
  enforced: readonly LeasedCharge[],
  results: readonly ChargeResult[],
): Verdict["failure"] {
  for (const [index, result] of results.entries()) {
    if (result.kind !== "failed") continue;
    return failureOf(result.code, result.applied ?? (enforced[index] as LeasedCharge).charge.onStoreFailure);
  }
  return undefined;
}
