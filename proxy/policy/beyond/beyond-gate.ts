// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { BeyondRun, goesBeyond, type NextStep } from "../../../core/quota/beyond/beyond-run.ts";
import type { QuotaCharge, SingleCharge } from "../../../core/quota/quota-charge.ts";
import { type QuotaRefusal, refusalOf, refusalOfDelays } from "../../../core/quota/refusal.ts";
import type { VerdictOutcome } from "../../../core/verdict/verdict.ts";
import { outcomeOfRefusal } from "../../../core/verdict/verdict-outcome.ts";
import { chain, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Scheduler } from "../../../kernel/ports.ts";
import type { ChargeSettlement } from "../check-result.ts";
import type { FailurePolicy } from "../failure-policy.ts";
import {
  failureOf,
  leaseOutcomeOf,
  type QuotaFailure,
  stateOfCharges,
  uncountedCharges,
} from "../lease-outcome.ts";
import { leasedCharge, type LeaseManager } from "../leases/lease-manager.ts";
import type { ChargeResult } from "../leases/lease-pool.ts";
import type { UseTime } from "../leases/use-time.ts";
import type { ClientStats } from "../stats.ts";
import { QuotaQueues, type RequestLife, type Try } from "./quota-queues.ts";

/** How the steps of a request ended. */
export type BeyondEnd =
  | { readonly kind: "stale" }
  | {
      readonly kind: "admitted";
      readonly run: BeyondRun;
      /** The charges that were made, and what each took. */
      readonly charges: readonly SingleCharge[];
      readonly results: readonly ChargeResult[];
      readonly failed: QuotaFailure | undefined;
    }
  | {
      readonly kind: "refused";
      readonly run: BeyondRun;
      readonly outcome: VerdictOutcome;
      readonly failed: QuotaFailure | undefined;
    };

/** The result of making a request's charges once, and of the steps that need no wait. */
type Made =
  | BeyondEnd
  | { readonly kind: "short"; readonly refusal: QuotaRefusal<SingleCharge> }
  | { readonly kind: "next"; readonly step: NextStep };

export interface BeyondGateOptions {
  readonly leases: LeaseManager;
  readonly stats: ClientStats;
  readonly useTime: UseTime;
  readonly failurePolicy: () => FailurePolicy;
  readonly scheduler: Scheduler;
  readonly monotonicMs: () => number;
}

/** Takes the steps of `beyond` for requests that a limit refuses. A waiting request holds nothing. */
export class BeyondGate {
  readonly #options: BeyondGateOptions;
  readonly #queues: QuotaQueues;

  constructor(options: BeyondGateOptions) {
    this.#options = options;
    this.#queues = new QuotaQueues(options.scheduler, options.monotonicMs);
  }

  /** Number of waiting requests. */
  get waiting(): number {
    return this.#queues.size;
  }

  /** Ends every wait: other documents are in force, or the proxy closes. */
  end(why: "stale" | "closed"): void {
    this.#queues.end(why);
  }

  /** The refusal of a request that must not overtake those in a queue; undefined when none waits. */
  behind(charges: readonly QuotaCharge[], waitsFor?: SingleCharge): QuotaRefusal<QuotaCharge> | undefined {
    if (this.#queues.empty) return undefined;
    for (const charge of charges) {
      if (charge === waitsFor || !goesBeyond(charge)) continue;
      if (charge.beyond?.some(({ kind }) => kind === "queue") !== true) continue;
      const retryAfterMs = this.#queues.nextTryInMs(charge.cell);
      if (retryAfterMs !== undefined) return { charge, retryAfterMs: Math.ceil(retryAfterMs) };
    }
    return undefined;
  }

  /**
   * Amounts of these counts went back: their first requests try.
   *
   * @param afterMs Time until the store knows it; default: it does.
   */
  wake(charges: readonly QuotaCharge[], afterMs = 0): void {
    if (this.#queues.empty) return;
    for (const { cell } of charges) this.#queues.wake(cell, afterMs);
  }

  /** The settlement of charges for which requests may wait: what it frees goes to the first of them. */
  waking(settlement: ChargeSettlement, charges: readonly QuotaCharge[]): ChargeSettlement {
    return {
      readsBody: settlement.readsBody,
      settle: (fate, bag) => {
        settlement.settle(fate, bag);
        this.wake(charges, this.#options.useTime.ms);
      },
    };
  }

  /**
   * Takes the steps of a refused request of which nothing is charged.
   *
   * @param charges The enforced charges of the decision; the refusal's is one of them.
   * @param life Tells when the client leaves; absent: it stays.
   */
  async run(
    charges: readonly QuotaCharge[],
    refusal: QuotaRefusal<SingleCharge>,
    life: RequestLife | undefined,
  ): Promise<BeyondEnd> {
    const { stats, monotonicMs } = this.#options;
    const run = new BeyondRun(charges);
    let step = run.next(refusal, monotonicMs());
    for (;;) {
      if (step.kind === "refuse") return refusedBy(run, step.refusal);
      if (step.kind === "charge") {
        const made = await this.#make(run, undefined);
        if (made.kind === "next") step = made.step;
        else if (made.kind === "short") step = run.next(made.refusal, monotonicMs());
        else return this.#unlessLeft(made, life);
        continue;
      }
      const { charge, retryAfterMs } = step;
      const end = await this.#queues.wait<Made>({
        ...step,
        cell: charge.cell,
        policy: charge.policy,
        life,
        attempt: () => chain(this.#make(run, charge), tryOf),
      });
      switch (end.kind) {
        case "done":
          if (end.value.kind === "next") step = end.value.step;
          else if (end.value.kind === "short") step = run.next(end.value.refusal, monotonicMs());
          else return this.#unlessLeft(end.value, life);
          continue;
        case "full":
        case "timed out":
          if (end.kind === "full") stats.quota_queue_full++;
          else stats.quota_queue_timeouts++;
          run.leaveQueue(charge, end.kind === "timed out");
          step = run.next({ charge, retryAfterMs }, monotonicMs());
          continue;
        case "stale":
          return { kind: "stale" };
        case "left":
          stats.quota_queue_left++;
          return refusedBy(run, { charge, retryAfterMs });
        case "closed":
          return refusedBy(run, { charge, retryAfterMs });
      }
    }
  }

  /** Puts back the charges of a request whose client left while they were made. */
  #unlessLeft(end: BeyondEnd, life: RequestLife | undefined): BeyondEnd {
    if (end.kind !== "admitted" || life?.finished !== true) return end;
    const { leases, stats } = this.#options;
    stats.quota_queue_left++;
    void leases.putBack(end.results);
    this.wake(end.charges);
    const [charge] = end.charges;
    return charge === undefined ? end : refusedBy(end.run, { charge, retryAfterMs: 0 });
  }

  /**
   * Makes the run's charges, all or none, and takes the steps of those that are refused, until a charge must
   * wait. What a refused request took is put back.
   *
   * @param waitsFor The charge in whose queue the request is the first: its refusal is returned as `short`.
   */
  #make(run: BeyondRun, waitsFor: SingleCharge | undefined): MaybePromise<Made> {
    const { charges } = run;
    const behind = this.behind(charges, waitsFor);
    if (behind !== undefined) return this.#next(run, behind, waitsFor);
    return chain(this.#take(charges), (results) =>
      chain(this.#judge(run, charges, results), (made) => {
        if (made.kind !== "admitted") void this.#options.leases.putBack(results);
        return made.kind === "short" ? this.#next(run, made.refusal, waitsFor) : made;
      }),
    );
  }

  #next(
    run: BeyondRun,
    refusal: QuotaRefusal<SingleCharge>,
    waitsFor: SingleCharge | undefined,
  ): MaybePromise<Made> {
    // A store that is away ends the wait, and so does an operator's block.
    const isLimit = refusal.failure === undefined && refusal.blocked === undefined;
    if (refusal.charge === waitsFor && isLimit) return { kind: "short", refusal };
    const step = run.next(refusal, this.#options.monotonicMs());
    return step.kind === "charge" ? this.#make(run, waitsFor) : { kind: "next", step };
  }

  #take(charges: readonly SingleCharge[]): MaybePromise<readonly ChargeResult[]> {
    const { leases, monotonicMs } = this.#options;
    const nowMs = monotonicMs();
    const leased = charges.map(leasedCharge);
    const taken: ChargeResult[] = [];
    // Two charges may have one pool, when a policy that applies to the request is drawn on as well.
    const distinct = new Set(leased.map(({ poolName }) => poolName)).size === leased.length;
    if (distinct && leases.takeAtOnce(leased, nowMs, taken)) return taken;
    const delaysMs: number[] = [];
    if (leases.refuseAtOnce(leased, nowMs, delaysMs)) {
      const refused = refusalOfDelays(charges, delaysMs);
      return leased.map((one) => {
        if (one.charge !== refused?.charge) return { kind: "withdrawn" };
        const result = { kind: "refused", retryAfterMs: refused.retryAfterMs } as const;
        return leases.isBlocked(one) ? { ...result, blocked: true } : result;
      });
    }
    return leases.acquire(leased, nowMs);
  }

  #judge(
    run: BeyondRun,
    charges: readonly SingleCharge[],
    results: readonly ChargeResult[],
  ): MaybePromise<Exclude<Made, { readonly kind: "next" }>> {
    if (results.some(({ kind }) => kind === "stale")) return { kind: "stale" };
    const outcomes = charges.map((charge, index) => leaseOutcomeOf(results[index] as ChargeResult, charge));
    const failed = failureOf(outcomes, stateOfCharges(charges));
    const refusal = refusalOf(charges, outcomes);
    if (refusal !== undefined) return { kind: "short", refusal };
    const admitted = { kind: "admitted", run, charges, results, failed } as const;
    const local = uncountedCharges(charges, results, outcomes);
    if (local.length === 0) return admitted;
    return chain(this.#options.failurePolicy().admitLocally(local), (outcome) =>
      outcome.kind === "allow" ? admitted : { kind: "refused", run, outcome, failed },
    );
  }
}

function tryOf(made: Made): Try<Made> {
  return made.kind === "short"
    ? { kind: "again", retryAfterMs: made.refusal.retryAfterMs }
    : { kind: "done", value: made };
}

function refusedBy(run: BeyondRun, refusal: QuotaRefusal<SingleCharge>): BeyondEnd {
  const { failure } = refusal;
  const failed = failure && { failure, state: undefined };
  return { kind: "refused", run, outcome: outcomeOfRefusal(refusal), failed };
}
