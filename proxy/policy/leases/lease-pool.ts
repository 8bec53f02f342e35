// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AllocateCharge } from "../../../api/mixer-service.ts";
import type { QuotaCharge, QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import type { ErrorCode } from "../../../kernel/error-catalog.ts";
import type { QuotaStanding } from "../../../core/quota/standing.ts";
import { DemandMeter } from "./demand-meter.ts";
import { CLOCK_STEP_MS, type HeldGrant, HeldGrants, type Part, usableUntilMs } from "./held-grants.ts";

/** What became of one charge. */
export type ChargeResult =
  | { readonly kind: "taken"; readonly pool: LeasePool; readonly parts: readonly Part[] }
  | { readonly kind: "refused"; readonly retryAfterMs: number }
  /** Nobody counted; `applied` when the mixer has put the charge's onStoreFailure into effect already. */
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly applied?: "allow" | "deny" | "local" }
  /** The mixer's documents are others: the request must be checked again. */
  | { readonly kind: "stale" }
  /** Another charge of the same request was refused before this one was answered. */
  | { readonly kind: "withdrawn" };

/** A charge that waits for an amount. */
export interface Waiter {
  readonly amount: number;
  /** When its request began, on the monotonic clock. */
  readonly sinceMs: number;
  readonly settle: (result: ChargeResult) => void;
}

/** When an answer was asked for and when it came, on the monotonic clock. */
export interface AnswerTimes {
  readonly sentMs: number;
  readonly nowMs: number;
  /** The mixer is in this process and answered before the asking returned. */
  readonly atOnce: boolean;
}

/** What a pool wants of the store. */
export interface Ask {
  readonly charge: AllocateCharge;
  readonly forWaiters: boolean;
}

/** At most so much of a limit is held ahead of need, whatever the demand. */
const LARGEST_SHARE = 20;
/** A refusal is believed for so long at most: something may be given back meanwhile. */
const MAX_REFUSAL_MS = 1_000;
/** After an ask that brought nothing to hold, how long until the next one ahead of need. */
const PAUSE_MS = 250;
/** Below so much of the limit, leases get shorter as it is used up: in proportion to what remains. */
const FULL_LEASE_SHARE = 1 / 4;
/** A shorter lease is not worth the asking. */
const MIN_LEASE_MS = 2;
/** After so many answers in a row that came when the grant was over, the mixer is too slow to be asked. */
const MAX_LATE_ANSWERS = 2;

/**
 * The amounts of one count that this proxy holds, and the requests that wait for more. Requests are admitted only
 * against amounts that the store has granted, never against a guess: so the limit is never exceeded.
 */
export class LeasePool {
  readonly #charge: QuotaCharge;
  readonly #held = new HeldGrants();
  /** As many as the proxy has requests under way, each for no longer than the deadline of a call. */
  #waiters: Waiter[] = [];
  readonly #demand = new DemandMeter();
  #asking = false;
  /** The waiters that the ask under way is for: only these may be refused for its answer. */
  #asked: readonly Waiter[] = [];
  /** Whether the store could not be reached for the last ask. */
  #storeAway = false;
  /** What the store had left at its last answer. */
  #remaining = Number.POSITIVE_INFINITY;
  #resetAtMs = 0;
  /** Amounts from `refusedAmount` on are refused here until `refusedUntilMs`. */
  #refusedAmount = Number.POSITIVE_INFINITY;
  #refusedUntilMs = 0;
  #retryAtMs = 0;
  /** No asking ahead of need before this. */
  #pausedUntilMs = 0;
  #emptyAnswers = 0;
  #lateAnswers = 0;
  /** Waiters that a grant fell short of. They are asked for once more, and refused when that falls short of them too. */
  readonly #unserved = new Set<Waiter>();
  /** Cancels the timer for what must go back; the lease manager's own. */
  cancelGiveBack: (() => void) | undefined;

  constructor(charge: QuotaCharge) {
    this.#charge = charge;
  }

  get waiting(): boolean {
    return this.#waiters.length > 0;
  }

  /** Counts towards the prediction, whether or not it is then granted. */
  want(amount: number, nowMs: number): void {
    this.#demand.add(amount, nowMs);
  }

  /** Whether `amount` can be taken now, without overtaking those that wait. */
  has(amount: number, nowMs: number): boolean {
    return this.#waiters.length === 0 && this.#held.available(nowMs) >= amount;
  }

  /** Takes what `has` said is there. */
  take(amount: number, parts?: Part[]): void {
    this.#held.take(amount, parts);
  }

  /** Until when the same demand is refused without asking: how long, in milliseconds; undefined when it is not. */
  refusal(amount: number, nowMs: number): number | undefined {
    if (nowMs >= this.#refusedUntilMs || this.has(amount, nowMs)) return undefined;
    if (amount - this.#held.available(nowMs) < this.#refusedAmount) return undefined;
    return Math.max(1, this.#retryAtMs - nowMs);
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

  /** When the first of those that wait began to. */
  get waitingSinceMs(): number | undefined {
    return this.#waiters[0]?.sinceMs;
  }

  /** What to ask the store for now; undefined when nothing, or when an answer is still awaited. */
  ask(nowMs: number, proxies: number, useMs: number): Ask | undefined {
    if (this.#asking) return undefined;
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
        // A single demand is granted whole or not at all, and its refusal then says when it may succeed.
        bestEffort: ahead > 0 || asked.length !== 1,
      },
      forWaiters,
    };
  }

  /**
   * Takes in the store's answer, and serves those that wait, first come first served. Nothing more is asked for until
   * `resume` is called.
   * @returns what the answer brought and nobody can use any more; where it was `late`, it must go back first.
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
    if (granted < asked.amount) this.#fallShort(asked, outcome, nowMs);
    else this.#emptyAnswers = 0;
    if (held || grant.amount === 0) return [];
    // At a window's end, or with a lease of a millisecond, nothing can be held: asking again at once would bring the same.
    if (asked.leaseMs > 0) this.#pausedUntilMs = nowMs + PAUSE_MS;
    this.#held.remove(grant);
    return [grant];
  }

  /** Whether the last answer came when its grant was over already. */
  get late(): boolean {
    return this.#lateAnswers > 0;
  }

  /** What a late answer brought has gone back: more may be asked for. */
  resume(nowMs: number): void {
    this.#asking = false;
    if (this.#lateAnswers < MAX_LATE_ANSWERS) return;
    this.#lateAnswers = 0;
    this.fail({ kind: "failed", code: "PURSER_MIXER_UNAVAILABLE" }, nowMs);
  }

  /** The store's figures, from whatever call. */
  observe(outcome: QuotaOutcome, nowMs: number): void {
    if (outcome.failure !== undefined) return;
    this.#remaining = outcome.remaining;
    this.#resetAtMs = nowMs + outcome.resetMs;
  }

  /** The ask failed: so does all that waits for it. */
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

  /** Takes out what must go back by now; everything when `nowMs` is infinite. */
  takeExpiring(nowMs: number): readonly HeldGrant[] {
    return this.#held.takeExpiring(nowMs);
  }

  /** When something must go back; undefined when nothing is held. */
  get giveBackAtMs(): number | undefined {
    return this.#held.giveBackAtMs;
  }

  /** Something was given back: who was refused before it may not be now. */
  forgetRefusal(): void {
    this.#refusedUntilMs = 0;
  }

  /** How to give a grant back. */
  giveBack({ amount, slot, leaseMs }: HeldGrant): AllocateCharge {
    this.forgetRefusal();
    const { policy, cell, limit } = this.#charge;
    return { policy, cell, limit, leaseMs, amount: -amount, bestEffort: true, slot };
  }

  /** Undefined until the store has said how the count stands. */
  standing(nowMs: number): QuotaStanding | undefined {
    if (this.#remaining === Number.POSITIVE_INFINITY) return undefined;
    const { policy, limit, windowMs } = this.#charge;
    const remaining = Math.min(limit, this.#remaining + this.#held.available(nowMs));
    return { policy, limit, windowMs, remaining, resetMs: Math.max(0, this.#resetAtMs - nowMs) };
  }

  /** How much to ask for ahead of need. */
  #ahead(available: number, nowMs: number, proxies: number, leaseMs: number): number {
    if (this.#unserved.size > 0 || this.#storeAway || nowMs < this.#pausedUntilMs) return 0;
    const target = this.#target(nowMs, proxies, leaseMs);
    // What is used once or twice before its lease ends is cheaper to ask for when it is needed.
    if (target < 2) return 0;
    if (this.waiting) return target;
    return available < target / 2 && nowMs >= this.#refusedUntilMs ? target - available : 0;
  }

  /**
   * For how long to hold: the charge's lease; less when little of the limit is left, since a sliding window frees what was
   * leased only a window after the lease's end. 0 when that is too short to be of use.
   */
  #leaseMs(useMs: number): number {
    const { limit, leaseMs } = this.#charge;
    const full = limit * FULL_LEASE_SHARE;
    const heldMs = this.#remaining < full ? Math.floor((leaseMs * this.#remaining) / full) : leaseMs;
    return heldMs < Math.max(MIN_LEASE_MS, useMs) ? 0 : heldMs;
  }

  /**
   * How much to hold: what is likely used within a lease, but never so much that other proxies would go without, and
   * ever less as the count nears its limit.
   */
  #target(nowMs: number, proxies: number, leaseMs: number): number {
    const { limit } = this.#charge;
    const likely = Math.ceil((this.#demand.perSecond(nowMs) * leaseMs) / 1000);
    const share = limit / Math.max(LARGEST_SHARE, 2 * proxies);
    return Math.floor(Math.min(likely, share, this.#remaining / (2 * proxies)));
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

  /** Less was granted than asked for. */
  #fallShort(asked: AllocateCharge, { granted, retryAfterMs, resetMs }: QuotaOutcome, nowMs: number): void {
    this.#pausedUntilMs = nowMs + PAUSE_MS;
    if (granted > 0) {
      this.#askOnceMore();
      return;
    }
    // Nothing, and no word of when to come back: another charge of the same call was refused. But only once, lest a
    // store that never says when be asked for ever.
    if (retryAfterMs === 0 && ++this.#emptyAnswers < 2) return;
    this.#emptyAnswers = 0;
    this.#refusedAmount = asked.bestEffort ? 1 : asked.amount;
    this.#retryAtMs = nowMs + (retryAfterMs || resetMs || MAX_REFUSAL_MS);
    this.#refusedUntilMs = Math.min(this.#retryAtMs, nowMs + MAX_REFUSAL_MS);
    const available = this.#held.available(nowMs);
    // Not the waiters that joined after the asking: something may have been given back since.
    const askedFor = new Set(this.#asked);
    this.#refuse(
      (waiter) => askedFor.has(waiter) && waiter.amount - available >= this.#refusedAmount,
      () => this.#retryAtMs - nowMs,
    );
  }

  /**
   * Something was granted, but too little. The store had nothing left at that moment, so the waiters that were asked for
   * twice are refused: where demand always exceeds what flows in, nobody would be told in time. The store does not say
   * when to come back then; that is reckoned from the limit's average rate.
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
      waiter.settle({ kind: "refused", retryAfterMs: retryAfterMs(waiter) });
    }
  }

  /**
   * The store could not be asked, and the mixer has applied the charge's onStoreFailure. With `local`, what was granted
   * is for the waiters that were asked for; waiters that joined later get what is over, or are asked for next.
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
