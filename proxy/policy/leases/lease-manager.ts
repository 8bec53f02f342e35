// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AllocateCharge, AllocateReply, MixerService } from "../../../api/mixer-service.ts";
import type { QuotaCharge, QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import { chain, isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Clock, Scheduler } from "../../../kernel/ports.ts";
import { SieveCache } from "../../../kernel/sieve-cache.ts";
import { type Answer, type MixerCaller, Unavailable } from "../mixer-caller.ts";
import type { ClientStats } from "../stats.ts";
import { type Ask, type ChargeResult, LeasePool, MAX_LATE_ANSWERS, type Waiter } from "./lease-pool.ts";
import type { HeldGrant, Part } from "./held-grants.ts";
import type { HeldSlots, SlotGrant } from "./held-slots.ts";
import type { UseTime } from "./use-time.ts";

export interface LeaseManagerOptions {
  readonly service: Pick<MixerService, "allocate">;
  readonly caller: MixerCaller;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly stats: ClientStats;
  readonly useTime: UseTime;
  readonly maxPools: number;
  readonly callTimeoutMs: number;
  readonly newId: () => string;
  /** Called with the version in a reply that declares charges stale. */
  readonly onVersion: (version: string) => void;
}

/** A charge of a cached decision, with the pool that holds its amounts. Belongs to one lease manager. */
export interface LeasedCharge {
  readonly charge: QuotaCharge;
  readonly poolName: string;
  /** The pool of this name when it was last looked up; it may have been dropped since. */
  pool: LeasePool | undefined;
}

export function leasedCharge(charge: QuotaCharge): LeasedCharge {
  return { charge, poolName: poolNameOf(charge), pool: undefined };
}

/**
 * Different limits for one count have separate pools: a lease under an override must not serve requests
 * without it.
 */
function poolNameOf({ limit, leaseMs, cell }: QuotaCharge): string {
  return `${limit} ${leaseMs} ${cell}`;
}

const NOTHING = { remaining: 0, resetMs: 0, retryAfterMs: 0, validForMs: 0 };

/** Maximum number of charges in one give-back call; the rest goes in the next call. */
const GIVE_BACK_BATCH = 100;

/**
 * The leases of this proxy, for all quotas: takes amounts from them, asks the mixer for more, and gives
 * unused amounts back.
 */
export class LeaseManager {
  readonly #options: LeaseManagerOptions;
  readonly #pools: SieveCache<LeasePool>;
  #version = "";
  #proxies = 1;

  constructor(options: LeaseManagerOptions) {
    this.#options = options;
    this.#pools = new SieveCache({
      maxEntries: options.maxPools,
      onEvict: (pool) => void this.#giveBack(pool, pool.takeExpiring(Number.POSITIVE_INFINITY)),
    });
  }

  /** Switches to other documents: what is held is discarded. Calls under way end under the old documents. */
  use(version: string, proxies: number): void {
    this.#proxies = Math.max(1, proxies);
    if (version === this.#version) return;
    void this.#giveBackAll();
    this.#version = version;
  }

  /**
   * Takes all the charges without asking the mixer, or none: returns false when an amount is missing.
   *
   * @param taken Receives what was taken, in order, for `putBack`.
   */
  takeAtOnce(charges: readonly LeasedCharge[], nowMs: number, taken?: ChargeResult[]): boolean {
    for (let index = 0; index < charges.length; index++) {
      const leased = charges[index] as LeasedCharge;
      // A pool is not made here: it would be empty, and could drop the pool of another of the charges.
      const pool = this.#knownPool(leased);
      if (pool === undefined || !pool.has(leased.charge.amount, nowMs)) return false;
    }
    const proxies = this.#proxies;
    const useMs = this.#options.useTime.ms;
    let mayAsk = false;
    for (let index = 0; index < charges.length; index++) {
      const { charge, pool } = charges[index] as LeasedCharge & { readonly pool: LeasePool };
      pool.want(charge.amount, nowMs);
      const parts: Part[] | undefined = taken && [];
      pool.take(charge.amount, parts);
      if (parts !== undefined) taken?.push({ kind: "taken", pool, parts });
      mayAsk ||= pool.mayAsk(nowMs, proxies, useMs);
    }
    if (mayAsk) this.#askFor(charges.map((leased) => this.#poolOf(leased)));
    return true;
  }

  /**
   * Refuses at once when a count is known to be used up: asks nobody, and takes nothing from the other
   * charges' pools. Returns false when no count is known to be used up.
   *
   * @param retryAfterMs Receives for each charge the time for which it is refused; 0 when it is not.
   */
  refuseAtOnce(charges: readonly LeasedCharge[], nowMs: number, retryAfterMs: number[]): boolean {
    let refused = false;
    for (let index = 0; index < charges.length; index++) {
      const leased = charges[index] as LeasedCharge;
      const { amount } = leased.charge;
      const pool = this.#knownPool(leased);
      const delayMs = pool?.refusal(amount, nowMs);
      retryAfterMs[index] = delayMs ?? 0;
      if (delayMs === undefined) continue;
      pool?.want(amount, nowMs);
      refused = true;
    }
    return refused;
  }

  /** Whether an operator has blocked a count that `refuseAtOnce` has refused. */
  isBlocked(leased: LeasedCharge): boolean {
    return this.#knownPool(leased)?.blocked === true;
  }

  /**
   * Acquires all the charges. When one is refused, the caller must `putBack` what the others took. Waits for
   * the mixer if necessary, never longer than the call's deadline.
   *
   * @param sinceMs When the request began to wait for the mixer, on the monotonic clock; default now.
   */
  acquire(
    charges: readonly LeasedCharge[],
    nowMs: number,
    sinceMs = nowMs,
  ): MaybePromise<readonly ChargeResult[]> {
    for (const leased of charges) this.#poolOf(leased).want(leased.charge.amount, nowMs);
    const results = this.#waitFor(charges, sinceMs);
    if (!isPromise(results)) return results;
    return results.then(async (first) => {
      let last = first;
      for (let late = 1; this.#hasExpired(last); late++) {
        await this.putBack(last);
        if (late === MAX_LATE_ANSWERS)
          return charges.map(() => ({ kind: "failed", code: "PURSER_MIXER_UNAVAILABLE" }) as const);
        last = await this.#waitFor(charges, sinceMs);
      }
      return last;
    });
  }

  /** Whether an amount that the request took first had expired when the last one arrived. */
  #hasExpired(results: readonly ChargeResult[]): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    return results.some(
      (result) => result.kind === "taken" && result.parts.some(({ grant }) => grant.expiresAtMs < nowMs),
    );
  }

  #waitFor(charges: readonly LeasedCharge[], sinceMs: number): MaybePromise<readonly ChargeResult[]> {
    const pools = charges.map((leased) => this.#poolOf(leased));
    const results: ChargeResult[] = [];
    let open = charges.length;
    let done: ((results: readonly ChargeResult[]) => void) | undefined;
    const waiters: Waiter[] = charges.map(({ charge }, index) => ({
      amount: charge.amount,
      sinceMs,
      settle: (result) => {
        results[index] = result;
        open--;
        // A request that is refused must not leave its demand behind in other pools.
        if (result.kind === "refused" || result.kind === "stale")
          for (const [other, pool] of pools.entries()) pool.withdraw(waiters[other] as Waiter);
        if (open === 0) done?.(results);
      },
    }));
    for (const [index, pool] of pools.entries()) pool.wait(waiters[index] as Waiter);
    this.#askFor(pools);
    return open === 0 ? results : new Promise((resolve) => (done = resolve));
  }

  /** Puts back what `acquire` took for a request that is refused. */
  putBack(results: readonly ChargeResult[]): MaybePromise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const back: AllocateCharge[] = [];
    for (const result of results) {
      if (result.kind !== "taken") continue;
      const { pool, parts } = result;
      for (const grant of pool.putBack(parts, nowMs)) back.push(pool.giveBack(grant));
      this.#scheduleGiveBack(pool, nowMs);
    }
    return this.#sendBack(back);
  }

  /**
   * Gives back what a check was granted.
   *
   * @param granted Charges with their results, under the documents of the check.
   */
  giveBackGrants(
    granted: readonly { readonly charge: QuotaCharge; readonly outcome: QuotaOutcome }[],
  ): MaybePromise<void> {
    for (const { charge } of granted) this.#pools.peek(poolNameOf(charge))?.forgetRefusal();
    const charges = granted
      .filter(({ outcome }) => outcome.granted > 0 && outcome.failure === undefined)
      .map(({ charge: { policy, cell, limit }, outcome: { granted: amount, slot } }) => {
        return { policy, cell, limit, leaseMs: 0, amount: -amount, bestEffort: true, slot };
      });
    return this.#sendBack(charges);
  }

  /**
   * Counts a use beyond a reservation, as far as the limit has room: the use has happened, so nothing is
   * refused. What does not fit is in the statistics.
   */
  chargeMore({ policy, cell, limit }: QuotaCharge, amount: number): MaybePromise<void> {
    const { stats, callTimeoutMs } = this.#options;
    const more = { policy, cell, limit, leaseMs: 0, amount, bestEffort: true };
    return chain(this.#send([more], callTimeoutMs), (answer) => {
      const granted =
        answer instanceof Unavailable || answer.kind === "stale" ? 0 : (answer.quotas[0]?.granted ?? 0);
      stats.quota_overspent += amount - granted;
    });
  }

  /** Gives the slots of a request back that has ended. */
  giveBackSlots({ charge, grants }: HeldSlots): MaybePromise<void> {
    return this.giveBackGrants(
      grants.map(({ slot, amount }) => ({
        charge,
        outcome: { ...NOTHING, policy: charge.policy, cell: charge.cell, granted: amount, slot },
      })),
    );
  }

  /**
   * Has the store count slots anew, all or none: each is given back and taken in one step.
   *
   * @returns The new slots of each holder.
   */
  renew(
    holders: readonly HeldSlots[],
  ): MaybePromise<readonly (readonly SlotGrant[])[] | "refused" | "unavailable"> {
    const charges: AllocateCharge[] = holders.flatMap(({ charge: { policy, cell, limit }, grants }) => {
      const base = { policy, cell, limit, leaseMs: 0 };
      const amount = grants.reduce((sum, grant) => sum + grant.amount, 0);
      const back = grants.map((grant) => ({
        ...base,
        amount: -grant.amount,
        bestEffort: true,
        slot: grant.slot,
      }));
      return [...back, { ...base, amount, bestEffort: false }];
    });
    return chain(this.#send(charges, this.#options.callTimeoutMs), (answer) => {
      if (answer instanceof Unavailable) return "unavailable";
      // Slots under documents that are no longer in force end with their leases.
      if (answer.kind === "stale" || answer.stale !== undefined) return "refused";
      if (answer.quotas.some(({ failure }) => failure !== undefined)) return "unavailable";
      let at = 0;
      const renewed = holders.map(({ grants }) => {
        at += grants.length;
        const { granted = 0, slot = 0 } = answer.quotas[at++] ?? {};
        return granted > 0 ? [{ slot, amount: granted }] : undefined;
      });
      return renewed.every((slots) => slots !== undefined) ? renewed : "refused";
    });
  }

  /** Takes in the state of a quota from a check that the mixer decided. */
  observe(charge: QuotaCharge, outcome: QuotaOutcome): void {
    this.#pools.peek(poolNameOf(charge))?.observe(outcome, this.#options.clock.monotonicMs());
  }

  /**
   * Writes what is left of a charge's limit to `into[at]`, or -1 while that is not known, and the time in
   * milliseconds until the whole limit is available after it.
   */
  writeStanding(leased: LeasedCharge, nowMs: number, into: number[], at: number): void {
    const pool = this.#knownPool(leased);
    into[at] = pool?.remaining(nowMs) ?? -1;
    into[at + 1] = pool?.resetMs(nowMs) ?? 0;
  }

  /** Gives everything back. The caller must bound the time. */
  async close(): Promise<void> {
    await this.#giveBackAll();
  }

  /** The charge's pool, if there is one. Its reference spares nearly every request a look-up by name. */
  #knownPool(leased: LeasedCharge): LeasePool | undefined {
    const known = leased.pool;
    if (known === undefined || known.dropped) return (leased.pool = this.#pools.get(leased.poolName));
    known.used = true;
    return known;
  }

  #poolOf(leased: LeasedCharge): LeasePool {
    const known = this.#knownPool(leased);
    if (known !== undefined) return known;
    const pool = new LeasePool(leased.poolName, leased.charge);
    this.#pools.set(pool);
    leased.pool = pool;
    return pool;
  }

  /**
   * Asks for the demand of the pools, all in one call; repeats until no waiter is left that could be served.
   */
  #askFor(pools: readonly LeasePool[]): void {
    for (;;) {
      const nowMs = this.#options.clock.monotonicMs();
      const asking: LeasePool[] = [];
      const asks: Ask[] = [];
      for (const pool of pools) {
        const ask = pool.ask(nowMs, this.#proxies, this.#options.useTime.ms);
        if (ask === undefined) continue;
        asking.push(pool);
        asks.push(ask);
      }
      if (asks.length === 0) return;
      const answer = this.#allocate(asking, asks, nowMs);
      const atOnce = !isPromise(answer);
      const answered = chain(answer, (known) => this.#deliver(asking, asks, known, nowMs, atOnce));
      if (isPromise(answered)) {
        void answered.then(() => this.#askFor(asking));
        return;
      }
    }
  }

  #allocate(
    pools: readonly LeasePool[],
    asks: readonly Ask[],
    nowMs: number,
  ): MaybePromise<Answer<AllocateReply>> {
    const { stats } = this.#options;
    for (const { forWaiters } of asks) {
      if (forWaiters) stats.remote_quota_calls++;
      else stats.remote_quota_prefetch_calls++;
    }
    return this.#send(
      asks.map(({ charge }) => charge),
      this.#timeLeftMs(pools, nowMs),
    );
  }

  /** Time left for a call: a request that has already waited for an earlier call has less. */
  #timeLeftMs(pools: readonly LeasePool[], nowMs: number): number {
    const oldestMs = Math.min(...pools.map((pool) => pool.waitingSinceMs ?? nowMs));
    return Math.max(1, this.#options.callTimeoutMs - (nowMs - oldestMs));
  }

  #deliver(
    pools: readonly LeasePool[],
    asks: readonly Ask[],
    answer: Answer<AllocateReply>,
    sentMs: number,
    atOnce: boolean,
  ): MaybePromise<void> {
    const { clock, stats, useTime, onVersion } = this.#options;
    const nowMs = clock.monotonicMs();
    if (answer instanceof Unavailable) {
      for (const pool of pools) {
        pool.fail({ kind: "failed", code: answer.error.code }, nowMs);
        this.#scheduleGiveBack(pool, nowMs);
      }
      return;
    }
    if (answer.kind === "stale") {
      stats.quota_stale++;
      for (const pool of pools) pool.fail({ kind: "stale" }, nowMs);
      onVersion(answer.version);
      return;
    }
    useTime.note(atOnce ? 0 : nowMs - sentMs);
    const back: AllocateCharge[] = [];
    const stale = new Set(answer.stale?.charges);
    stats.quota_stale += stale.size;
    for (const [index, pool] of pools.entries()) {
      const { charge } = asks[index] as Ask;
      if (stale.has(index)) {
        pool.fail({ kind: "stale" }, nowMs);
        continue;
      }
      const outcome = answer.quotas[index];
      if (outcome === undefined) {
        pool.fail({ kind: "failed", code: "PURSER_MIXER_UNAVAILABLE" }, nowMs);
        this.#scheduleGiveBack(pool, nowMs);
        continue;
      }
      if (outcome.granted > 0) stats.remote_quota_accepts++;
      else stats.remote_quota_denies++;
      const grants = pool.answer(charge, outcome, { sentMs, nowMs, atOnce });
      if (pool.late) {
        stats.quota_late++;
        back.push(...grants.map((grant) => pool.giveBack(grant)));
      } else void this.#giveBack(pool, grants);
      this.#scheduleGiveBack(pool, nowMs);
    }
    if (answer.stale !== undefined) onVersion(answer.stale.version);
    // A late grant must be back at the store before more is asked for.
    return chain(this.#sendBack(back, this.#timeLeftMs(pools, nowMs)), () => {
      const laterMs = clock.monotonicMs();
      for (const pool of pools) pool.resume(laterMs);
    });
  }

  #send(charges: readonly AllocateCharge[], timeoutMs: number): MaybePromise<Answer<AllocateReply>> {
    const { service, caller, newId } = this.#options;
    const request = { version: this.#version, deduplicationId: newId(), charges };
    return caller.call(timeoutMs, (options) => service.allocate(request, options));
  }

  #scheduleGiveBack(pool: LeasePool, nowMs: number): void {
    const dueMs = pool.giveBackAtMs;
    if (pool.cancelGiveBack !== undefined || dueMs === undefined) return;
    pool.cancelGiveBack = this.#options.scheduler.after(Math.max(0, dueMs - nowMs), () => {
      pool.cancelGiveBack = undefined;
      const laterMs = this.#options.clock.monotonicMs();
      void this.#giveBack(pool, pool.takeExpiring(laterMs));
      this.#scheduleGiveBack(pool, laterMs);
    });
  }

  /** Best effort: a grant whose give-back is lost expires at the store. */
  #giveBack(pool: LeasePool, grants: readonly HeldGrant[]): MaybePromise<void> {
    if (grants.length === 0) return;
    return this.#sendBack(grants.map((grant) => pool.giveBack(grant)));
  }

  #giveBackAll(): MaybePromise<unknown> {
    const charges: AllocateCharge[] = [];
    for (const pool of this.#pools.values()) {
      pool.cancelGiveBack?.();
      pool.cancelGiveBack = undefined;
      for (const grant of pool.takeExpiring(Number.POSITIVE_INFINITY)) charges.push(pool.giveBack(grant));
    }
    this.#pools.clear();
    return this.#sendBack(charges);
  }

  #sendBack(charges: readonly AllocateCharge[], timeoutMs = this.#options.callTimeoutMs): MaybePromise<void> {
    const { stats } = this.#options;
    const sent: unknown[] = [];
    for (let start = 0; start < charges.length; start += GIVE_BACK_BATCH) {
      const batch = charges.slice(start, start + GIVE_BACK_BATCH);
      for (const { amount } of batch) stats.quota_given_back -= amount;
      sent.push(this.#send(batch, timeoutMs));
    }
    if (sent.some((call) => isPromise(call))) return Promise.all(sent).then(() => {});
  }
}
