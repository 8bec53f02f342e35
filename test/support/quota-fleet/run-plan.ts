// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileWithJsonata } from "../../../core/expressions/jsonata-engine.ts";
import type { QuotaGrant, QuotaRequest } from "../../../core/quota/quota.ts";
import { isPromise, type MaybePromise } from "../../../kernel/maybe-promise.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
} from "../../../plugins/sdk/testing/index.ts";
import type { CheckResult } from "../../../proxy/policy/check-result.ts";
import { createPolicyClient, type MeteredPolicyClient } from "../../../proxy/policy/policy-client.ts";
import { DEFAULT_POLICY_CLIENT_SETTINGS } from "../../../proxy/policy/settings.ts";
import type { ModelCall, ModelSubject } from "../quota-model/model-subject.ts";
import { type Admission, Books } from "./books.ts";
import { createLink, FaultyMixer, type ProxyLink } from "./faulty-mixer.ts";
import { fleetSnapshot } from "./fleet-documents.ts";
import { type FleetAction, type FleetPlan, RESERVED, SLOT_LEASE_MS } from "./plan.ts";

/** Runs a plan on real mixers and proxies' policy clients over a store. Throws at the first broken promise. */
export async function runPlan(plan: FleetPlan, subject: ModelSubject, startMs: number): Promise<void> {
  const fleet = await Fleet.start(plan, subject, startMs);
  for (const action of plan.actions) await fleet.act(action);
  await fleet.end();
  await subject.end();
}

interface Proxy {
  readonly client: MeteredPolicyClient;
  readonly link: ProxyLink;
}

/**
 * A check waits for one call to the mixer. When the answer came too late to be used, it waits for the return of its
 * grant, and for an ask of the same count that another request began meanwhile; each has a call's deadline.
 */
const LONGEST_CHECK_MS = 3 * DEFAULT_POLICY_CLIENT_SETTINGS.callTimeoutMs + 10;

class Fleet {
  readonly #plan: FleetPlan;
  readonly #subject: ModelSubject;
  readonly #startMs: number;
  readonly #time;
  readonly #books: Books;
  readonly #settlements = new Map<Admission, CheckResult["settlement"]>();
  /** Decisions of the store that are under way: with a real server they take real time. */
  readonly #deciding = new Set<Promise<unknown>>();
  readonly #mixers: FaultyMixer[] = [];
  readonly #proxies: Proxy[] = [];
  #started = 0;
  #waiting = 0;
  /** Whether a fault has made a difference between the books and the store possible. */
  #faulty = false;
  /** The last moment at which a fault can have kept a renewal from the store. */
  #lastFaultMs = Number.NEGATIVE_INFINITY;

  private constructor(plan: FleetPlan, subject: ModelSubject, startMs: number) {
    this.#plan = plan;
    this.#subject = subject;
    this.#startMs = startMs;
    this.#time = createVirtualTime(startMs, () => this.#settled());
    this.#books = new Books(plan.policies);
  }

  static async start(plan: FleetPlan, subject: ModelSubject, startMs: number): Promise<Fleet> {
    const fleet = new Fleet(plan, subject, startMs);
    const { mixers, proxies, wayMs, policies } = plan;
    for (let mixer = 0; mixer < mixers; mixer++)
      fleet.#mixers.push(
        await FaultyMixer.start({
          time: fleet.#time,
          snapshot: fleetSnapshot(policies),
          mixers,
          wayMs,
          decide: (call) => fleet.#decide(call),
        }),
      );
    for (let proxy = 0; proxy < proxies; proxy++) fleet.#proxies.push(fleet.#startProxy(proxy));
    return fleet;
  }

  async act(action: FleetAction): Promise<void> {
    switch (action.kind) {
      case "start": {
        const proxy = action.proxy % this.#proxies.length;
        for (let request = 0; request < action.count; request++) this.#request(proxy);
        break;
      }
      case "end": {
        const { running } = this.#books;
        const ending = running[action.at % Math.max(1, running.length)];
        if (ending !== undefined) this.#end(ending, action.part, action.fails);
        break;
      }
      case "wait":
        await this.#wait(action.ms);
        break;
      case "cross":
        await this.#cross(action);
        break;
      case "clock":
        this.#time.setWallClock(this.#time.clock.nowMs() + action.byMs);
        break;
      default:
        await this.#fault(action);
    }
    await this.#settled();
  }

  async #cross({ proxy, beforeMs, afterMs }: Extract<FleetAction, { kind: "cross" }>): Promise<void> {
    const { windowMs, limit } = this.#plan.policies;
    const leftMs = windowMs - ((this.#startMs + this.#time.clock.monotonicMs()) % windowMs);
    // Nobody waits an hour for the end of the longest window.
    if (leftMs > SLOT_LEASE_MS) return;
    await this.#wait(Math.max(0, leftMs - beforeMs));
    const first = proxy % this.#proxies.length;
    for (let request = 0; request < 12; request++) this.#request(first);
    await this.#wait(Math.min(leftMs, beforeMs) + afterMs);
    for (let request = 0; request < Math.min(limit, 100); request++)
      this.#request(request < 12 ? first : request % this.#proxies.length);
  }

  async #fault(
    action: Extract<FleetAction, { kind: "crash" | "link" | "store" | "restart" }>,
  ): Promise<void> {
    const nowMs = this.#time.clock.monotonicMs();
    switch (action.kind) {
      case "link": {
        const { to, forMs } = action;
        (this.#proxies[action.proxy % this.#proxies.length] as Proxy).link.condition.set(to, nowMs + forMs);
        // A slow call may miss its deadline, and its grant is then lost until its window ends.
        if (to === "slow") this.#faulty = true;
        else if (to !== "up" && to !== "repeats") this.#noteFault(forMs);
        break;
      }
      case "store": {
        const { to, forMs } = action;
        (this.#mixers[action.mixer % this.#mixers.length] as FaultyMixer).store.set(to, nowMs + forMs);
        if (to !== "up") this.#noteFault(forMs);
        break;
      }
      case "restart":
        await (this.#mixers[action.mixer % this.#mixers.length] as FaultyMixer).restart();
        this.#noteFault(0);
        break;
      case "crash": {
        const index = action.proxy % this.#proxies.length;
        (this.#proxies[index] as Proxy).link.cut = true;
        for (const admission of this.#books.running)
          if (admission.proxy === index) admission.state = "crashed";
        this.#proxies[index] = this.#startProxy(index);
        // Slots of the others are not at risk.
        this.#faulty = true;
      }
    }
  }

  /** Ends the faults and every request, and compares the books with the store. */
  async end(): Promise<void> {
    const { policies } = this.#plan;
    await this.#wait(3_000 + LONGEST_CHECK_MS);
    assert.equal(this.#waiting, 0, "a check has no answer");
    this.#books.assertWithinLimits();
    for (const admission of this.#books.running) this.#settle(admission, 0.3, false);
    await this.#wait(2_000);
    const closing = Promise.all(this.#proxies.map(({ client }) => client.close(1_000)));
    await this.#wait(2_000);
    await closing;
    this.#books.assertWithinLimits();
    for (const policy of ["calls", "tokens"] as const) {
      if (!policies[policy] || policies.windowMs < 1_000_000 || policies.algorithm === "token-bucket")
        continue;
      const used = policies.limit - (await this.#remaining(policy, 0));
      const spent = this.#books.sum(policy);
      if (this.#faulty) assert.ok(used >= spent, `${spent} ${policy} used, and ${used} counted`);
      else assert.equal(used, spent, `${policy} that the store counts`);
    }
    // A window and a slot after the last use, and after the last lease's end, all is free.
    const { windowMs, leaseMs, limit, slotLimit } = policies;
    for (const policy of ["calls", "tokens"] as const)
      if (policies[policy])
        assert.equal(await this.#remaining(policy, 2 * windowMs + leaseMs + 1_000), limit);
    if (!policies.slots) return;
    if (!this.#faulty) assert.equal(await this.#remaining("slots", 0), slotLimit, "slots go back at once");
    assert.equal(await this.#remaining("slots", 2 * SLOT_LEASE_MS), slotLimit);
  }

  #startProxy(index: number): Proxy {
    const link = createLink();
    const id = `edge~${index}~${++this.#started}`;
    const client = createPolicyClient({
      service: (this.#mixers[index % this.#mixers.length] as FaultyMixer).serviceOver(link),
      identity: { id },
      clock: this.#time.clock,
      scheduler: this.#time.scheduler,
      random: createSeededRandom(this.#started),
      logger: createCollectingLogger(),
      compile: compileWithJsonata,
    });
    return { client, link };
  }

  #request(index: number): void {
    const { client, link } = this.#proxies[index] as Proxy;
    const sentMs = this.#time.clock.monotonicMs();
    this.#waiting++;
    // A check never rejects.
    const answered = (result: CheckResult): void => {
      this.#waiting--;
      if (link.cut) return;
      const nowMs = this.#time.clock.monotonicMs();
      assert.ok(nowMs - sentMs <= LONGEST_CHECK_MS, `a check took ${nowMs - sentMs} ms`);
      if (result.outcome.kind !== "allow") return;
      assert.equal(result.failure, undefined, "every policy denies what is not counted");
      const admission = this.#books.admit(index, this.#startMs + nowMs);
      this.#settlements.set(admission, result.settlement);
      if (nowMs > this.#lastFaultMs + SLOT_LEASE_MS) this.#books.assertSlots();
    };
    const result = client.check({});
    if (isPromise(result)) void this.#track(result.then(answered));
    else answered(result);
  }

  #end(admission: Admission, part: number, fails: boolean): void {
    // Only the end of a request lowers its amounts: no other moment has more in use than the one before it.
    this.#books.assertWithinLimits();
    this.#settle(admission, part, fails);
  }

  #settle(admission: Admission, part: number, fails: boolean): void {
    admission.state = "ended";
    const tokens = Math.round(RESERVED * part);
    admission.tokens = tokens;
    if (fails) admission.calls = 0;
    this.#settlements.get(admission)?.settle(fails ? "failure" : undefined, {
      response: { code: 200, body: { usage: { total_tokens: tokens } } },
    });
  }

  /** Keeps the first failure of a check for the next wait. */
  #failure: unknown;
  #track(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => void (this.#failure ??= error));
  }

  async #wait(ms: number): Promise<void> {
    await this.#time.advanceAndSettle(ms);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #settled(): Promise<void> {
    do {
      await Promise.all(this.#deciding);
      await new Promise((resolve) => void setImmediate(resolve));
    } while (this.#deciding.size > 0);
  }

  #decide(call: ModelCall): MaybePromise<readonly QuotaGrant[]> {
    const nowMs = Math.floor(this.#startMs + this.#time.clock.monotonicMs());
    const decided = this.#subject.decide(nowMs, [call]);
    if (!isPromise(decided)) return decided[0] as readonly QuotaGrant[];
    const deciding = decided
      .then(([grants]) => grants as readonly QuotaGrant[])
      .finally(() => this.#deciding.delete(deciding));
    this.#deciding.add(deciding);
    return deciding;
  }

  #noteFault(forMs: number): void {
    this.#faulty = true;
    this.#lastFaultMs = Math.max(this.#lastFaultMs, this.#time.clock.monotonicMs() + forMs);
  }

  async #remaining(policy: "calls" | "tokens" | "slots", laterMs: number): Promise<number> {
    const { algorithm, windowMs, limit, slotLimit } = this.#plan.policies;
    const counting =
      policy === "slots"
        ? ({ algorithm: "sliding-window", windowMs: SLOT_LEASE_MS, limit: slotLimit } as const)
        : { algorithm, windowMs, limit };
    const request: QuotaRequest = {
      cell: `${policy}{}`,
      ...counting,
      amount: 0,
      bestEffort: true,
      leaseMs: 0,
    };
    const nowMs = Math.floor(this.#startMs + this.#time.clock.monotonicMs() + laterMs);
    const [grants] = await this.#subject.decide(nowMs, [{ requests: [request], deduplicationId: "" }]);
    return (grants as readonly QuotaGrant[])[0]?.remaining ?? Number.NaN;
  }
}
