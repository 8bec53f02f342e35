// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { QUOTA_COUNTERS } from "../../../core/quota/counting/counters.ts";
import type { QuotaGrant } from "../../../core/quota/quota.ts";
import { createSeededRandom } from "../../../plugins/sdk/testing/index.ts";
import { usableUntilMs } from "../../../proxy/policy/leases/held-grants.ts";
import { EventQueue } from "./event-queue.ts";
import { type Ask, ProxyCount, type ProxyCountSettings, proxyCountSettings } from "./proxy-count.ts";
import type { Scenario } from "./scenario.ts";
import { createZipf, type Zipf } from "./zipf.ts";

/** Counts of a simulated window. */
export interface Counts {
  readonly requests: number;
  readonly admitted: number;
  /** Requests that a central counter admits: of each key at most its limit. */
  readonly allowed: number;
  /** Amount that keys admitted beyond their limit; 0 by design. */
  readonly over: number;
  /** Charges that arrived at each shard, give-backs included. */
  readonly shardCalls: readonly number[];
  /** Charges and requests of each key. */
  readonly keyCalls: Uint32Array;
  readonly keyRequests: Uint32Array;
  /** Charges that ask, and amounts that they brought; charges that give back. */
  readonly asks: number;
  readonly granted: number;
  readonly giveBacks: number;
}

/** How often idle counts of proxies are dropped, in milliseconds. */
const SWEEP_MS = 1_000;

type Event =
  | {
      readonly kind: "at the store";
      readonly count: ProxyCount;
      readonly key: number;
      readonly ask: Ask;
      readonly sentMs: number;
    }
  | {
      readonly kind: "answer";
      readonly count: ProxyCount;
      readonly key: number;
      readonly ask: Ask;
      readonly sentMs: number;
      readonly grant: QuotaGrant;
    }
  | { readonly kind: "lease ends"; readonly count: ProxyCount; readonly key: number };

/** Simulates the first window of a scenario, from its beginning: every proxy starts without leases. */
export function simulate(scenario: Scenario): Counts {
  return new Simulation(scenario).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #settings: ProxyCountSettings;
  readonly #random = createSeededRandom(1);
  readonly #zipf: Zipf;
  readonly #events: EventQueue<Event>;
  /** By proxy, then by key. */
  readonly #counts: readonly Map<number, ProxyCount>[];
  /** States of the store's counters, by key. */
  readonly #states = new Map<number, unknown>();
  readonly #shardCalls: number[];
  readonly #keyCalls: Uint32Array;
  readonly #keyRequests: Uint32Array;
  readonly #keyAdmitted: Uint32Array;
  #asks = 0;
  #granted = 0;
  #giveBacks = 0;

  constructor(scenario: Scenario) {
    const { proxies, keys, zipfExponent, windowMs, shards } = scenario;
    this.#scenario = scenario;
    this.#settings = proxyCountSettings(scenario);
    this.#zipf = createZipf(keys, zipfExponent, this.#random);
    this.#events = new EventQueue(windowMs);
    this.#counts = Array.from({ length: proxies }, () => new Map<number, ProxyCount>());
    this.#shardCalls = Array.from({ length: shards }, () => 0);
    this.#keyCalls = new Uint32Array(keys);
    this.#keyRequests = new Uint32Array(keys);
    this.#keyAdmitted = new Uint32Array(keys);
  }

  run(): Counts {
    const { windowMs, limit } = this.#scenario;
    const handle = (event: Event, nowMs: number): void => this.#handle(event, nowMs);
    for (let nowMs = 0; nowMs < windowMs; nowMs++) {
      for (let due = this.#arrivals(); due > 0; due--) this.#arrive(nowMs);
      this.#events.take(handle);
      if (nowMs % SWEEP_MS === SWEEP_MS - 1) this.#sweep(nowMs);
    }
    let [requests, admitted, allowed, over] = [0, 0, 0, 0];
    for (const [key, asked] of this.#keyRequests.entries()) {
      const used = this.#keyAdmitted[key] as number;
      requests += asked;
      admitted += used;
      allowed += Math.min(limit, asked);
      over += Math.max(0, used - limit);
    }
    return {
      requests,
      admitted,
      allowed,
      over,
      shardCalls: this.#shardCalls,
      keyCalls: this.#keyCalls,
      keyRequests: this.#keyRequests,
      asks: this.#asks,
      granted: this.#granted,
      giveBacks: this.#giveBacks,
    };
  }

  /** Requests of a millisecond: Poisson, by its normal approximation (Box and Muller, 1958), which has a mean of 1,000 here. */
  #arrivals(): number {
    const mean = this.#scenario.requestsPerS / 1_000;
    const normal = Math.sqrt(-2 * Math.log(1 - this.#random())) * Math.cos(2 * Math.PI * this.#random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }

  #arrive(nowMs: number): void {
    const { proxies } = this.#scenario;
    const counts = this.#counts[Math.floor(this.#random() * proxies)] as Map<number, ProxyCount>;
    const key = this.#zipf.draw();
    let count = counts.get(key);
    if (count === undefined) counts.set(key, (count = new ProxyCount()));
    (this.#keyRequests[key] as number)++;
    if (count.request(nowMs) === "admitted") (this.#keyAdmitted[key] as number)++;
    this.#ask(count, key, nowMs);
  }

  #ask(count: ProxyCount, key: number, nowMs: number): void {
    const ask = count.ask(nowMs, this.#settings);
    if (ask === undefined) return;
    const event = { kind: "at the store", count, key, ask, sentMs: nowMs } as const;
    this.#events.add(nowMs + this.#scenario.roundTripMs / 2, event);
  }

  #handle(event: Event, nowMs: number): void {
    const { count, key } = event;
    if (event.kind === "at the store") {
      const { amount, leaseMs } = event.ask;
      const grant = this.#charge(key, amount, leaseMs, undefined, nowMs);
      this.#asks++;
      this.#granted += grant.granted;
      this.#events.add(nowMs + this.#scenario.roundTripMs / 2, { ...event, kind: "answer", grant });
    } else if (event.kind === "answer") {
      const { ask, grant, sentMs } = event;
      const admitted = count.answer(ask, grant, sentMs);
      // A grant that arrives after its end is lost here; lease-manager.ts gives it back and asks again.
      if (usableUntilMs(grant, sentMs) >= nowMs)
        this.#keyAdmitted[key] = (this.#keyAdmitted[key] as number) + admitted;
      const dueMs = count.giveBackAtMs;
      if (dueMs !== undefined && dueMs < this.#scenario.windowMs)
        this.#events.add(dueMs, { kind: "lease ends", count, key });
      this.#ask(count, key, nowMs);
    } else {
      for (const { amount, slot } of count.takeExpiring(nowMs)) {
        this.#charge(key, -amount, 0, slot, nowMs);
        this.#giveBacks++;
      }
      const dueMs = count.giveBackAtMs;
      if (dueMs !== undefined && dueMs < this.#scenario.windowMs)
        this.#events.add(dueMs, { kind: "lease ends", count, key });
    }
  }

  #charge(key: number, amount: number, leaseMs: number, slot: number | undefined, nowMs: number): QuotaGrant {
    const { algorithm, limit, windowMs, shards } = this.#scenario;
    (this.#shardCalls[key % shards] as number)++;
    (this.#keyCalls[key] as number)++;
    const counter = QUOTA_COUNTERS[algorithm];
    let state = this.#states.get(key);
    if (state === undefined) this.#states.set(key, (state = counter.create(nowMs)));
    const demand = { limit, windowMs, amount, leaseMs, bestEffort: true };
    return counter.charge(state, slot === undefined ? demand : { ...demand, slot }, nowMs);
  }

  #sweep(nowMs: number): void {
    for (const counts of this.#counts)
      for (const [key, count] of counts) if (count.isIdle(nowMs)) counts.delete(key);
  }
}
