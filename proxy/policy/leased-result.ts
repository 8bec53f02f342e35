// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Explanation } from "../../core/explain/explanation.ts";
import type { QuotaState } from "../../core/quota/quota-state.ts";
import { quotaOfStanding, type QuotaStanding, standingOf } from "../../core/quota/standing.ts";
import type { PreparedRateLimit, RateLimitFields } from "../../core/verdict/rate-limit-fields.ts";
import { exhaustedQuota } from "../../core/verdict/reply.ts";
import type { Verdict, VerdictOutcome } from "../../core/verdict/verdict.ts";
import type { ChargeSettlement, CheckResult } from "./check-result.ts";
import type { LeasedCharge } from "./leases/lease-manager.ts";

/** The charges of a cached decision, and the texts about them that all its requests share. */
export interface LeasedCharges {
  /** The enforced charges that are not hidden from clients. */
  readonly shown: readonly LeasedCharge[];
  /** How the enforced charges are counted while no store fails. */
  readonly state: QuotaState | undefined;
  readonly rateLimit: PreparedRateLimit;
}

/** The part of a verdict that all requests of a cached decision may share. */
type SharedVerdict = Omit<Verdict, "quotas" | "rateLimit">;

/**
 * The result for one request of a cached decision with quotas. Of the quotas' standing it has the numbers
 * alone: the RateLimit fields are made of them when the response is written, the objects when something reads
 * `quotas`, which no warm request does.
 */
export class LeasedResult implements CheckResult {
  checkCacheHit = true;
  readonly quotaCacheHit: boolean;
  explanation?: Explanation;
  /** Set by the quota gate when the charges depend on how the request ends. */
  settlement?: ChargeSettlement;
  readonly #verdict: SharedVerdict;
  readonly #charges: LeasedCharges;
  /** `remaining` and `resetMs` of each shown charge; `remaining` is -1 while it is not known. */
  readonly #numbers: readonly number[];

  constructor(
    verdict: SharedVerdict,
    quotaCacheHit: boolean,
    charges: LeasedCharges,
    numbers: readonly number[],
  ) {
    this.quotaCacheHit = quotaCacheHit;
    this.#verdict = verdict;
    this.#charges = charges;
    this.#numbers = numbers;
  }

  get outcome(): VerdictOutcome {
    return this.#verdict.outcome;
  }

  get requestHeaders(): Verdict["requestHeaders"] {
    return this.#verdict.requestHeaders;
  }

  get responseHeaders(): Verdict["responseHeaders"] {
    return this.#verdict.responseHeaders;
  }

  get directResponse(): Verdict["directResponse"] {
    return this.#verdict.directResponse;
  }

  get shadowDenials(): Verdict["shadowDenials"] {
    return this.#verdict.shadowDenials;
  }

  get audits(): Verdict["audits"] {
    return this.#verdict.audits;
  }

  get quotaState(): QuotaState | undefined {
    return this.#verdict.failure === undefined ? this.#charges.state : this.#verdict.quotaState;
  }

  get failure(): Verdict["failure"] {
    return this.#verdict.failure;
  }

  get quotas(): readonly QuotaStanding[] {
    const standings: QuotaStanding[] = [];
    for (const [index, { charge }] of this.#charges.shown.entries()) {
      const remaining = this.#numbers[2 * index] as number;
      const resetMs = this.#numbers[2 * index + 1] as number;
      if (remaining >= 0) standings.push(standingOf(quotaOfStanding(charge), { remaining, resetMs }));
    }
    return standings;
  }

  /** Undefined when some quota's standing is not known, or no quota is shown: then the fields are written of `quotas`. */
  get rateLimit(): RateLimitFields | undefined {
    const numbers = this.#numbers;
    // Without a shown quota there are no fields: a RateLimit-Policy is never empty.
    if (numbers.length === 0) return undefined;
    for (let index = 0; index < numbers.length; index += 2)
      if ((numbers[index] as number) < 0) return undefined;
    const { rateLimit } = this.#charges;
    return {
      policy: rateLimit.policy,
      standing: rateLimit.standing(numbers, exhaustedQuota(this.outcome)),
    };
  }
}
