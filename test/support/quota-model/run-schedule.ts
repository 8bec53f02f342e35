// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { CounterKind } from "../../../core/quota/counting/counter-kind.ts";
import { DEDUPLICATION_MS } from "../../../core/quota/counting/deduplication.ts";
import type { QuotaGrant, QuotaRequest } from "../../../core/quota/quota.ts";
import { type RequestSelector, selectorOf } from "../quota-countings.ts";
import { findExcess, type Use } from "../quota-log.ts";
import type { ModelCall, ModelSubject } from "./model-subject.ts";
import { periodsAround } from "./periods.ts";
import { type Range, ReferenceCount } from "./reference-count.ts";
import type { Schedule, ScheduledCall, ScheduledDemand, ScheduledStep } from "./schedule.ts";

export interface RunOptions {
  readonly startMs: number;
  /**
   * Whether `clockChangeMs` moves the store's clock. Then the exact reference has no meaning; the run checks
   * what holds with any clock. Otherwise it moves the callers' wall clock, which only tells calendar periods.
   */
  readonly clockGoesBack: boolean;
}

/** A grant of which a part is still to be given back. */
interface Owed {
  readonly dueStep: number;
  readonly held: Held;
  readonly amount: number;
}

/** A grant in the test's books: the request, and the reference's entry. */
interface Held {
  readonly demand: ScheduledDemand;
  readonly limit: number;
  readonly slot: number;
  readonly name: string;
  /** Index of the grant in its reference count. */
  readonly index: number;
  /** Number of steps back that the store's clock had made. */
  readonly clockSteps: number;
  /** For checks that hold with any clock. */
  readonly account: Account;
}

/** The sums of one window or slot of one count. */
interface Account {
  held: number;
  mostLimit: number;
}

/** One request of a call, and what it gives back if it does. */
interface Item {
  readonly demand: ScheduledDemand;
  readonly request: QuotaRequest;
  readonly owed: Owed | undefined;
}

interface Repeat {
  readonly dueStep: number;
  /** The grants of a call whose reply was lost: its caller learns of them by this retry. */
  readonly unheard: readonly { readonly held: Held; readonly grant: QuotaGrant }[];
  /** Time of the first call by the store's clock. */
  readonly sinceMs: number;
  readonly sinceRealMs: number;
  readonly call: ModelCall;
  readonly grants: readonly QuotaGrant[];
}

const DAY_MS = 86_400_000;

let lastId = 0;

/** Runs a schedule on a store and compares each answer with the reference. Throws at the first difference. */
export async function runSchedule(
  schedule: Schedule,
  subject: ModelSubject,
  options: RunOptions,
): Promise<void> {
  const run = new Run(schedule, subject, options);
  for (const [index, step] of schedule.steps.entries()) await run.step(index, step);
  await run.end();
  await subject.end();
}

class Run {
  readonly #schedule: Schedule;
  readonly #subject: ModelSubject;
  readonly #goesBack: boolean;
  readonly #references = new Map<string, ReferenceCount>();
  readonly #accounts = new Map<string, Account>();
  readonly #uses = new Map<string, (Use & { readonly limit: number })[]>();
  #owed: Owed[] = [];
  #repeats: Repeat[] = [];
  /** Time that passes evenly. */
  #realMs: number;
  /** The store's clock less the real time; always 0 unless the clock goes back. */
  #storeAheadMs = 0;
  #clockSteps = 0;
  /** Amounts that were granted before a step back of the clock and taken back after it, by count. */
  readonly #takenBackLate = new Map<string, number>();
  /** The callers' wall clock less the store's: at most half a window, as of two machines. */
  #callersAheadMs = 0;
  #retryAfterMs = 0;

  constructor(schedule: Schedule, subject: ModelSubject, { startMs, clockGoesBack }: RunOptions) {
    this.#schedule = schedule;
    this.#subject = subject;
    this.#goesBack = clockGoesBack;
    this.#realMs = startMs;
  }

  async step(index: number, { waitMs, waitsForRetry, clockChangeMs, calls }: ScheduledStep): Promise<void> {
    // An allocation that is forgotten stays forgotten when the clock goes back: the exact reference does not.
    const passesMs = this.#goesBack ? Math.min(waitMs, DAY_MS) : waitMs;
    this.#realMs +=
      passesMs + (waitsForRetry ? Math.min(this.#retryAfterMs, 3 * this.#schedule.windowMs) : 0);
    if (this.#goesBack) {
      this.#storeAheadMs += clockChangeMs;
      if (clockChangeMs < 0) this.#clockSteps++;
    } else this.#callersAheadMs = clockChangeMs % (1 + Math.floor(this.#schedule.windowMs / 2));
    await this.#repeat(index);
    const [due, later] = partition(this.#owed, ({ dueStep }) => dueStep <= index);
    this.#owed = later;
    const taking = calls.findIndex(({ givesBackToo }) => givesBackToo);
    for (const [at, call] of calls.entries()) await this.#ask(index, call, at === taking ? due : []);
    if (taking === -1) for (const owed of due) await this.#giveBack(index, owed);
  }

  /** Gives everything back, and checks that the uses never exceeded a limit. */
  async end(): Promise<void> {
    for (const owed of this.#owed.splice(0)) await this.#giveBack(Number.POSITIVE_INFINITY, owed);
    for (const [name, uses] of this.#uses) {
      const kind = kindOf(name);
      // Windows that are aligned to a clock have no meaning in real time once the clock was changed.
      if (this.#goesBack && !["sliding-window", "sliding-log", "token-bucket"].includes(kind)) continue;
      // Calendar periods are not of equal lengths, and allocations end: the exact reference checks both.
      if (kind === "calendar-period" || kind === "allocation") continue;
      const { windowMs, limits } = this.#schedule;
      // Slots are times: after a step back a grant may have the slot of one from before it, whose return takes it.
      const late = kind === "token-bucket" ? 0 : (this.#takenBackLate.get(name) ?? 0);
      assert.equal(findExcess(kind, uses, Math.max(...limits) + late, windowMs), undefined, name);
      for (const limit of limits) {
        const own = uses.filter((use) => use.limit === limit);
        assert.equal(findExcess(kind, own, limit + late, windowMs), undefined, name);
      }
    }
    await this.#checkRecovery();
  }

  get #nowMs(): number {
    return this.#realMs + this.#storeAheadMs;
  }

  async #repeat(index: number): Promise<void> {
    const [due, later] = partition(this.#repeats, ({ dueStep }) => dueStep <= index);
    this.#repeats = later;
    for (const { sinceMs, sinceRealMs, call, grants, unheard } of due) {
      // Stores forget an id a minute after it, by any reading of their clock, and differ in how much later.
      if (this.#realMs - sinceRealMs >= DEDUPLICATION_MS || this.#nowMs < sinceMs) continue;
      const again = await this.#decide(call);
      const ageMs = this.#nowMs - sinceMs;
      const expected = grants.map((grant) => ({
        ...grant,
        validForMs: Math.max(0, grant.validForMs - ageMs),
      }));
      assert.deepEqual(again, expected, "a retry finds the first answer");
      for (const { held, grant } of unheard) this.#use(index, held, grant, this.#realMs - sinceRealMs);
    }
  }

  async #ask(
    index: number,
    { demands, repeatedAfter, losesReply }: ScheduledCall,
    due: readonly Owed[],
  ): Promise<void> {
    const items: Item[] = [
      ...due.map((owed) => this.#backItem(owed)),
      ...demands.map((demand) => ({ demand, request: this.#request(demand), owed: undefined })),
    ];
    await this.#run(index, items, repeatedAfter, losesReply);
  }

  async #giveBack(index: number, owed: Owed): Promise<void> {
    await this.#run(index, [this.#backItem(owed)], 1, false);
  }

  #backItem(owed: Owed): Item {
    const { demand, slot } = owed.held;
    const request = { ...this.#request(demand), amount: 0 - owed.amount, leaseMs: 0, slot };
    return { demand, request, owed };
  }

  #request(demand: ScheduledDemand): QuotaRequest {
    const { cell, amount, bestEffort, leaseMs } = demand;
    const limit = this.#schedule.limits[demand.limit] as number;
    return { cell, amount, bestEffort, leaseMs, limit, ...this.#selector(demand.kind) };
  }

  #selector(kind: CounterKind): RequestSelector {
    const { windowMs } = this.#schedule;
    const selector = selectorOf(kind, windowMs, this.#nowMs);
    if (kind !== "calendar-period") return selector;
    return { ...selector, period: periodsAround(this.#nowMs + this.#callersAheadMs, windowMs) };
  }

  async #decide(call: ModelCall): Promise<readonly QuotaGrant[]> {
    return (await this.#subject.decide(this.#nowMs, [call]))[0] as readonly QuotaGrant[];
  }

  async #run(
    index: number,
    items: readonly Item[],
    repeatedAfter: number,
    losesReply: boolean,
  ): Promise<void> {
    const call = {
      requests: items.map(({ request }) => request),
      deduplicationId: repeatedAfter === 0 ? "" : `call-${++lastId}`,
    };
    const grants = await this.#decide(call);
    this.#retryAfterMs = Math.max(...grants.map(({ retryAfterMs }) => retryAfterMs));
    const refused = items.some(
      ({ request }, at) => !request.bestEffort && (grants[at] as QuotaGrant).granted < request.amount,
    );
    if (!this.#goesBack) this.#compare(items, grants, refused);
    const taken: { readonly held: Held; readonly grant: QuotaGrant }[] = [];
    for (const [at, item] of items.entries()) {
      const grant = grants[at] as QuotaGrant;
      const held = refused ? this.#settleRefused(index, item, grant) : this.#settle(item, grant);
      if (held !== undefined) taken.push({ held, grant });
    }
    if (!losesReply) for (const { held, grant } of taken) this.#use(index, held, grant, 0);
    if (repeatedAfter > 0)
      this.#repeats.push({
        dueStep: index + repeatedAfter,
        unheard: losesReply ? taken : [],
        sinceMs: this.#nowMs,
        sinceRealMs: this.#realMs,
        call,
        grants,
      });
  }

  /** Compares a call's grants with the reference's, on copies. */
  #compare(items: readonly Item[], grants: readonly QuotaGrant[], refused: boolean): void {
    const copies = new Map<string, ReferenceCount>();
    const nowMs = this.#nowMs;
    let mayRefuse = false;
    for (const [at, { demand, request, owed }] of items.entries()) {
      const name = nameOf(demand);
      const copy = copies.get(name) ?? this.#referenceOf(demand).copy();
      copies.set(name, copy);
      const { granted, validForMs } = grants[at] as QuotaGrant;
      copy.touch(nowMs, granted !== 0);
      const { amount, bestEffort, limit } = request;
      if (owed !== undefined) {
        const logged = copy.find(owed.held.index);
        const range = copy.returned(logged, owed.amount, nowMs);
        if (!refused) assertWithin(0 - granted, range, `what ${name} takes back`);
        logged.left -= refused ? range.most : 0 - granted;
        continue;
      }
      const range = copy.expected(amount, bestEffort, limit, nowMs);
      if (!bestEffort && range.least < amount) mayRefuse = true;
      if (!refused) assertWithin(granted, range, `what ${name} grants`);
      const taken = refused ? range.most : granted;
      const leaseMs = refused ? Math.min(request.leaseMs, copy.windowMs) : validForMs;
      if (taken > 0) copy.take(taken, limit, nowMs, leaseMs);
    }
    if (refused) assert.ok(mayRefuse, "a call is refused that every count has room for");
  }

  /** A refused call changes nothing: amounts to be given back are still owed. */
  #settleRefused(index: number, { demand, request, owed }: Item, grant: QuotaGrant): undefined {
    assert.equal(grant.granted, 0, "a refused call takes nothing and gives nothing back");
    this.#referenceOf(demand).touch(this.#nowMs, false);
    this.#checkRemaining(demand, request.limit, grant);
    if (owed !== undefined) this.#owed.push({ ...owed, dueStep: index + 1 });
  }

  /** Notes what a call took or gave back; returns what its caller holds now. */
  #settle({ demand, request, owed }: Item, grant: QuotaGrant): Held | undefined {
    let held: Held | undefined;
    const { granted, validForMs } = grant;
    const { limit } = request;
    const reference = this.#referenceOf(demand);
    const nowMs = this.#nowMs;
    reference.touch(nowMs, granted !== 0);
    if (owed !== undefined) {
      assert.ok(granted <= 0 && granted >= request.amount);
      reference.find(owed.held.index).left += granted;
      owed.held.account.held += granted;
      const { name, clockSteps } = owed.held;
      if (clockSteps < this.#clockSteps)
        this.#takenBackLate.set(name, (this.#takenBackLate.get(name) ?? 0) - granted);
    } else {
      assert.ok(granted >= 0 && granted <= request.amount);
      assert.ok(validForMs >= 0 && validForMs <= request.leaseMs);
      if (granted > 0) held = this.#note(demand, limit, grant);
    }
    this.#checkRemaining(demand, limit, grant);
    return held;
  }

  #checkRemaining(demand: ScheduledDemand, limit: number, { remaining, retryAfterMs }: QuotaGrant): void {
    assert.ok(remaining >= 0 && remaining <= limit);
    assert.ok(retryAfterMs >= 0);
    if (this.#goesBack || demand.kind === "token-bucket") return;
    const left = Math.max(0, limit - this.#referenceOf(demand).used(this.#nowMs));
    assert.equal(remaining, left, `what is left of ${nameOf(demand)}`);
  }

  #note(demand: ScheduledDemand, limit: number, grant: QuotaGrant): Held {
    const { granted, validForMs, slot } = grant;
    const reference = this.#referenceOf(demand);
    const at = reference.length;
    reference.take(granted, limit, this.#nowMs, validForMs);
    const name = nameOf(demand);
    // In a token bucket each limit has slots of its own.
    const window = `${name} ${slot} ${demand.kind === "token-bucket" ? limit : ""}`;
    const account = this.#accounts.get(window) ?? { held: 0, mostLimit: 0 };
    this.#accounts.set(window, account);
    account.held += granted;
    account.mostLimit = Math.max(account.mostLimit, limit);
    // A clock that goes back comes to the same window twice.
    if (!this.#goesBack || demand.kind === "allocation")
      assert.ok(account.held <= account.mostLimit, `${account.held} held of ${account.mostLimit} of ${name}`);
    return { demand, limit, slot, name, index: at, clockSteps: this.#clockSteps, account };
  }

  /**
   * Uses a part of a grant and owes the rest, once the caller has heard of it. A grant that it hears of after its
   * lease's end may not be used, and is owed whole.
   */
  #use(index: number, held: Held, { granted, validForMs }: QuotaGrant, ageMs: number): void {
    const { demand, name, limit } = held;
    const used = ageMs > validForMs ? 0 : Math.ceil(granted * demand.usedPart);
    const uses = this.#uses.get(name) ?? [];
    this.#uses.set(name, uses);
    const atMs = this.#realMs + Math.floor((validForMs - ageMs) * demand.usedAfterPart);
    if (used > 0) uses.push({ atMs, amount: used, limit });
    if (used < granted && !demand.crashes)
      this.#owed.push({ dueStep: index + demand.givesBackAfter, held, amount: granted - used });
  }

  /**
   * Within two windows and a slot after a request has seen the clock, the whole limit is available, whatever the
   * clock did. Of an allocation all is available that was given back.
   */
  async #checkRecovery(): Promise<void> {
    const { windowMs, limits } = this.#schedule;
    for (const name of this.#references.keys()) await this.#look(name);
    this.#realMs += 2 * windowMs + Math.ceil(windowMs / 32) + Math.ceil(windowMs / 2);
    for (const [name, reference] of this.#references) {
      const left = await this.#look(name);
      const used = reference.kind === "allocation" ? reference.used(this.#nowMs) : 0;
      assert.equal(left, Math.max(0, (limits[0] as number) - used), `what is left of ${name} in the end`);
    }
  }

  /** What a count has left of the first limit. */
  async #look(name: string): Promise<number> {
    const [kind, cell] = name.split(" ") as [CounterKind, "a" | "b"];
    const look = { kind, cell, amount: 0, bestEffort: true, leaseMs: 0, limit: 0 };
    const demand = { ...look, usedPart: 1, usedAfterPart: 0, givesBackAfter: 0, crashes: false };
    const [grant] = await this.#decide({ requests: [this.#request(demand)], deduplicationId: "" });
    this.#referenceOf(demand).touch(this.#nowMs, false);
    return grant?.remaining ?? Number.NaN;
  }

  #referenceOf(demand: ScheduledDemand): ReferenceCount {
    const name = nameOf(demand);
    let reference = this.#references.get(name);
    if (reference === undefined) {
      reference = new ReferenceCount(demand.kind, this.#schedule.windowMs);
      this.#references.set(name, reference);
    }
    return reference;
  }
}

function nameOf({ kind, cell }: Pick<ScheduledDemand, "kind" | "cell">): string {
  return `${kind} ${cell}`;
}

function kindOf(name: string): CounterKind {
  return name.split(" ")[0] as CounterKind;
}

function assertWithin(value: number, { least, most }: Range, what: string): void {
  assert.ok(value >= least && value <= most, `${what} is ${value}, where ${least} to ${most} is right`);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
