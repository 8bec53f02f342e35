// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AllocateCharge } from "../../../api/mixer-service.ts";
import type { QuotaCharge, QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import type { ErrorCode } from "../../../kernel/error-catalog.ts";
import type { SieveEntry } from "../../../kernel/sieve-cache.ts";
import { DemandMeter } from "./demand-meter.ts";
import { CLOCK_STEP_MS, type HeldGrant, HeldGrants, type Part, usableUntilMs } from "./held-grants.ts";
import { isLow, isWorthALease, leaseTarget, leaseTimeMs } from "./lease-size.ts";

/** The result of one charge. */
export type ChargeResult =
  | { readonly kind: "taken"; readonly pool: LeasePool; readonly parts: readonly Part[] }
  | {
      readonly kind: "refused";
      readonly retryAfterMs: number;
      /** True when an operator has blocked the count. */
      readonly blocked?: true;
    }
  /** Not counted; `applied` is set when the mixer has already applied the charge's onStoreFailure. */
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly applied?: "allow" | "deny" | "local" }
  /** The mixer has other documents: the request must be checked again. */
  | { readonly kind: "stale" }
  /** Another charge of the same request was refused before this charge was answered. */
  | { readonly kind: "withdrawn" };

/** A part of what a charge took, from the grants that end last: they can be used for longest. */
export function partOf(
  { kind, pool, parts }: Extract<ChargeResult, { readonly kind: "taken" }>,
  amount: number,
): ChargeResult {
  const some: Part[] = [];
  let missing = amount;
  for (const part of [...parts].reverse()) {
    if (missing <= 0) break;
    const share = Math.min(part.amount, missing);
    some.unshift({ grant: part.grant, amount: share });
    missing -= share;
  }
  return { kind, pool, parts: some };
}

/** A charge that waits for an amount. */
export interface Waiter {
  readonly amount: number;
  /** When the request began, on the monotonic clock. */
  readonly sinceMs: number;
  readonly settle: (result: ChargeResult) => void;
}

/** When an answer was asked for and when it came, on the monotonic clock. */
export interface AnswerTimes {
  readonly sentMs: number;
  readonly nowMs: number;
  /** The mixer is in this process and answered synchronously. */
  readonly atOnce: boolean;
}

/** A pool's request to the store. */
export interface Ask {
  readonly charge: AllocateCharge;
  readonly forWaiters: boolean;
}

/** Maximum time for which a refusal is cached: amounts may be given back meanwhile. */
export const MAX_REFUSAL_MS = 1_000;
/** Pause after an ask that brought nothing to hold, until the next ask ahead of need. */
const PAUSE_MS = 250;
/**
 * After this many late answers in a row, the mixer counts as too slow and the waiters fail. Each late answer
 * doubles the time for which the next grant is asked, so that a busy machine or the end of a window costs two
 * or three; the deadline of a call bounds them all together.
 */
export const MAX_LATE_ANSWERS = 8;

/**
 * The grants of one count that this proxy holds, and the queue of charges that wait for more. Requests are
 * admitted only against granted amounts, never against a guess: so the limit is never exceeded.
 */
export class LeasePool implements SieveEntry {
  readonly key: string;
  readonly size = 1;
  used = false;
  dropped = false;
  readonly #charge: QuotaCharge;
  readonly #held = new HeldGrants();
  /** Bounded by the proxy's requests under way; each waits no longer than a call's deadline. */
  #waiters: Waiter[] = [];
  readonly #demand = new DemandMeter();
  #asking = false;
  /** The waiters that the ask under way is for: its answer may refuse only these. */
  #asked: readonly Waiter[] = [];
  /** Whether the store was unreachable at the last ask. */
  #storeAway = false;
  /** The remainder of the limit at the store's last answer. */
  #remaining = Number.POSITIVE_INFINITY;
  #resetAtMs = 0;
  /** Amounts of at least `refusedAmount` are refused locally until `refusedUntilMs`. */
  #refusedAmount = Number.POSITIVE_INFINITY;
  #refusedUntilMs = 0;
  /** Whether the last refusal was an operator's. */
  #blocked = false;
  #retryAtMs = 0;
  /** No ask ahead of need before this time. */
  #pausedUntilMs = 0;
  #emptyAnswers = 0;
  #lateAnswers = 0;
  /**
   * Waiters that the last grant was too small for. They are asked for once more, and refused when that grant
   * is too small as well.
   */
  readonly #unserved = new Set<Waiter>();
  /** Cancels the give-back timer, which the lease manager sets. */
  cancelGiveBack: (() => void) | undefined;

  /** @param key Name of the pool among all pools. */
  constructor(key: string, charge: QuotaCharge) {
    this.key = key;
    this.#charge = charge;
  }

  get waiting(): boolean {
    return this.#waiters.length > 0;
  }

  /** Counts as demand, whether or not it is then granted. */
  want(amount: number, nowMs: number): void {
    this.#demand.add(amount, nowMs);
  }

  /** Whether `amount` can be taken now, without overtaking the waiters. */
  has(amount: number, nowMs: number): boolean {
    return this.#waiters.length === 0 && this.#held.available(nowMs) >= amount;
  }

  /** Takes an amount for which `has` returned true. */
  take(amount: number, parts?: Part[]): void {
    this.#held.take(amount, parts);
  }

  /** Milliseconds for which this demand is refused without asking; undefined when it is not. */
  refusal(amount: number, nowMs: number): number | undefined {
    if (nowMs >= this.#refusedUntilMs || this.has(amount, nowMs)) return undefined;
    if (amount - this.#held.available(nowMs) < this.#refusedAmount) return undefined;
    return Math.max(1, this.#retryAtMs - nowMs);
  }

  /** Whether the refusal that `refusal` tells of is an operator's. */
  get blocked(): boolean {
    return this.#blocked;
  }

  wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  withdraw(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index === -1) return;
    this.#waiters.splice(index, 1);
    this.#unserved.delete(waiter);
    waiter.settle({ kind: "withdrawn" });
  }

  /** When the first waiter began to wait. */
  get waitingSinceMs(): number | undefined {
    return this.#waiters[0]?.sinceMs;
  }

  /**
   * Whether `ask` may return something. Allocates nothing: nearly every request only looks whether the pool
   * runs low.
   */
  mayAsk(nowMs: number, proxies: number, useMs: number): boolean {
    if (this.#asking) return false;
    if (this.#waiters.length > 0) return true;
    const heldMs = this.#leaseMs(useMs);
    return heldMs > 0 && this.#ahead(this.#held.available(nowMs), nowMs, proxies, heldMs) > 0;
  }

  /** The ask to send now; undefined when nothing is needed, or while an answer is awaited. */
  ask(nowMs: number, proxies: number, useMs: number): Ask | undefined {
    if (!this.mayAsk(nowMs, proxies, useMs)) return undefined;
    this.#serve(nowMs);
    const forWaiters = this.waiting;
    const available = this.#held.available(nowMs);
    const heldMs = this.#leaseMs(useMs);
    const ahead = heldMs === 0 ? 0 : this.#ahead(available, nowMs, proxies, heldMs);
    if (!forWaiters && ahead === 0) return undefined;
    const asked = [...this.#waiters];
    const missing = asked.reduce((sum, { amount }) => sum + amount, forWaiters ? -available : 0);
    this.#asking = true;
    this.#asked = asked;
    const { policy, cell, limit } = this.#charge;
    return {
      charge: {
        policy,
        cell,
        limit,
        leaseMs: ahead > 0 ? heldMs : useMs,
        amount: missing + ahead,
        // A single demand is granted in full or not at all, and its refusal then says when it may succeed.
        bestEffort: ahead > 0 || asked.length !== 1,
      },
      forWaiters,
    };
  }

  /**
   * Takes in the store's answer, and serves the waiters first come, first served. No further ask is made
   * until `resume`.
   *
   * @returns Granted amounts that nobody can use; when `late`, they must go back before `resume`.
   */
  answer(
    asked: AllocateCharge,
    outcome: QuotaOutcome,
    { sentMs, nowMs, atOnce }: AnswerTimes,
  ): readonly HeldGrant[] {
    if (outcome.failure !== undefined) {
      this.#answerFailure(outcome, outcome.failure, nowMs);
      return [];
    }
    this.#storeAway = false;
    this.observe(outcome, nowMs);
    const { granted, slot } = outcome;
    const leaseEndMs = usableUntilMs(outcome, sentMs);
    const held = asked.leaseMs > 0 && leaseEndMs > nowMs;
    const grant: HeldGrant = {
      amount: granted,
      slot,
      leaseMs: asked.leaseMs,
      expiresAtMs: atOnce ? Math.max(leaseEndMs, nowMs + CLOCK_STEP_MS) : leaseEndMs,
    };
    if (granted > 0 && grant.expiresAtMs < nowMs) {
      this.#lateAnswers++;
      return [grant];
    }
    this.#lateAnswers = 0;
    if (granted > 0) this.#held.add(grant);
    this.#serve(nowMs);
    if (granted < asked.amount) this.#fallShort(asked, outcome, sentMs, nowMs);
    else this.#emptyAnswers = 0;
    if (held || grant.amount === 0) return [];
    // Near a window's end, or with a lease of a millisecond, nothing can be held: asking again would bring
    // the same.
    if (asked.leaseMs > 0) this.#pausedUntilMs = nowMs + PAUSE_MS;
    return [this.#held.remove(grant)];
  }

  /** Whether the last answer came after its grant had expired. */
  get late(): boolean {
    return this.#lateAnswers > 0;
  }

  /** Allows further asks, once a late answer's grants have gone back. */
  resume(nowMs: number): void {
    this.#asking = false;
    if (this.#lateAnswers < MAX_LATE_ANSWERS) return;
    this.#lateAnswers = 0;
    this.fail({ kind: "failed", code: "PURSER_MIXER_UNAVAILABLE" }, nowMs);
  }

  /** Takes in the store's figures from any call. */
  observe(outcome: QuotaOutcome, nowMs: number): void {
    if (outcome.failure !== undefined) return;
    this.#remaining = outcome.remaining;
    this.#resetAtMs = nowMs + outcome.resetMs;
  }

  /** Fails all waiters, because the ask failed. */
  fail(result: ChargeResult, nowMs: number): void {
    this.#asking = false;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    this.#settleAll(result);
  }

  /** Puts back what a request took and did not use; returns what cannot be kept here. */
  putBack(parts: readonly Part[], nowMs: number): readonly HeldGrant[] {
    const homeless = this.#held.putBack(parts, nowMs);
    if (this.waiting) this.#serve(nowMs);
    return homeless;
  }

  /**
   * Removes and returns the grants that must go back by now; all grants when `nowMs` is infinite. A waiter has
   * asked for what the held grants lack: without them the answer would be too small again, and again.
   */
  takeExpiring(nowMs: number): readonly HeldGrant[] {
    return this.waiting && nowMs !== Number.POSITIVE_INFINITY ? [] : this.#held.takeExpiring(nowMs);
  }

  /** Time at which the next grant must go back; undefined when nothing is held, or until an awaited answer. */
  get giveBackAtMs(): number | undefined {
    return this.waiting ? undefined : this.#held.giveBackAtMs;
  }

  /** Something was given back, so a demand that was refused may succeed now. */
  forgetRefusal(): void {
    this.#refusedUntilMs = 0;
  }

  /** The charge that gives a grant back. */
  giveBack({ amount, slot, leaseMs }: HeldGrant): AllocateCharge {
    this.forgetRefusal();
    const { policy, cell, limit } = this.#charge;
    return { policy, cell, limit, leaseMs, amount: -amount, bestEffort: true, slot };
  }

  /** The rest of the limit, at the store and here; undefined until the store has reported the count's state. */
  remaining(nowMs: number): number | undefined {
    if (this.#remaining === Number.POSITIVE_INFINITY) return undefined;
    return Math.min(this.#charge.limit, this.#remaining + this.#held.available(nowMs));
  }

  /** Time until the whole limit is available, in whole milliseconds. */
  resetMs(nowMs: number): number {
    return Math.ceil(Math.max(0, this.#resetAtMs - nowMs));
  }

  /** The amount to ask for ahead of need. */
  #ahead(available: number, nowMs: number, proxies: number, leaseMs: number): number {
    if (this.#unserved.size > 0 || this.#storeAway || nowMs < this.#pausedUntilMs) return 0;
    const { limit } = this.#charge;
    const remaining = this.#remaining;
    const demandPerS = this.#demand.perSecond(nowMs);
    const target = leaseTarget({ limit, proxies, remaining, demandPerS, leaseMs });
    if (!isWorthALease(target)) return 0;
    if (this.waiting) return target;
    return isLow(available, target) && nowMs >= this.#refusedUntilMs ? target - available : 0;
  }

  #leaseMs(useMs: number): number {
    return leaseTimeMs(this.#charge, this.#remaining, useMs);
  }

  #serve(nowMs: number): void {
    let served = 0;
    let available = this.#held.available(nowMs);
    for (const { amount } of this.#waiters) {
      if (amount > available) break;
      available -= amount;
      served++;
    }
    for (const waiter of this.#waiters.splice(0, served)) {
      this.#unserved.delete(waiter);
      const parts: Part[] = [];
      this.#held.take(waiter.amount, parts);
      waiter.settle({ kind: "taken", pool: this, parts });
    }
  }

  /** Handles a grant smaller than the ask. */
  #fallShort(asked: AllocateCharge, outcome: QuotaOutcome, sentMs: number, nowMs: number): void {
    const { granted, retryAfterMs, resetMs } = outcome;
    this.#blocked = outcome.blocked === true;
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    if (granted > 0) {
      this.#askOnceMore();
      return;
    }
    // An empty grant without a retry time: another charge of the same call was refused. Tolerated once only,
    // lest a store that never names a time be asked for ever.
    if (retryAfterMs === 0 && ++this.#emptyAnswers < 2) return;
    this.#emptyAnswers = 0;
    this.#refusedAmount = asked.bestEffort ? 1 : asked.amount;
    const delayMs = retryAfterMs || resetMs || MAX_REFUSAL_MS;
    this.#retryAtMs = nowMs + delayMs;
    // An ask sent this long after the last one reaches the store this long after its refusal. Counting from the
    // reply would refuse for a round trip into the next window.
    this.#refusedUntilMs = Math.min(sentMs + delayMs, nowMs + MAX_REFUSAL_MS);
    const available = this.#held.available(nowMs);
    // Waiters that joined after the ask are not refused: something may have been given back since.
    const askedFor = new Set(this.#asked);
    this.#refuse(
      (waiter) => askedFor.has(waiter) && waiter.amount - available >= this.#refusedAmount,
      () => this.#retryAtMs - nowMs,
    );
  }

  /**
   * Handles a grant that is too small for all waiters. The store had nothing left at that moment, so waiters
   * that have been asked for twice are refused: with demand above the limit they would never be told in time.
   * The store names no retry time in this case; it is estimated from the limit's average rate.
   */
  #askOnceMore(): void {
    const asked = new Set(this.#asked);
    const { windowMs, limit } = this.#charge;
    this.#refuse(
      (waiter) => asked.has(waiter) && this.#unserved.has(waiter),
      ({ amount }) => Math.ceil((windowMs * amount) / Math.max(1, limit)),
    );
    for (const waiter of this.#waiters) if (asked.has(waiter)) this.#unserved.add(waiter);
  }

  #refuse(which: (waiter: Waiter) => boolean, retryAfterMs: (waiter: Waiter) => number): void {
    const refused = this.#waiters.filter(which);
    if (refused.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !which(waiter));
    for (const waiter of refused) {
      this.#unserved.delete(waiter);
      const refused = { kind: "refused", retryAfterMs: retryAfterMs(waiter) } as const;
      waiter.settle(this.#blocked ? { ...refused, blocked: true } : refused);
    }
  }

  /**
   * Handles a store that could not be reached, with the charge's onStoreFailure applied by the mixer. With
   * `local`, the grant is for the waiters that were asked for; later waiters get the rest, or are asked for
   * next.
   */
  #answerFailure(
    { granted, retryAfterMs }: QuotaOutcome,
    failure: NonNullable<QuotaOutcome["failure"]>,
    nowMs: number,
  ): void {
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    this.#storeAway = true;
    const { code, applied } = failure;
    const asked = new Set(this.#asked);
    let left = applied === "local" ? granted : Number.POSITIVE_INFINITY;
    this.#unserved.clear();
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.amount <= left) {
        left -= waiter.amount;
        waiter.settle({ kind: "failed", code, applied });
      } else if (asked.has(waiter)) {
        waiter.settle({ kind: "refused", retryAfterMs: Math.max(1, retryAfterMs) });
      } else {
        this.#waiters.push(waiter);
      }
    }
  }

  #settleAll(result: ChargeResult): void {
    this.#unserved.clear();
    for (const waiter of this.#waiters.splice(0)) waiter.settle(result);
  }
}
