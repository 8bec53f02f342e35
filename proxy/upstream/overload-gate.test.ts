// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import { createSeededRandom, createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { OverloadGate, type Place } from "./overload-gate.ts";

const SETTINGS: OverloadSettings = {
  document: "protect",
  mode: "enforce",
  limit: {
    minConcurrency: 3,
    maxConcurrency: 1_000,
    updateIntervalMs: 100,
    latencyPercentile: 50,
    baselineIntervalMs: 60_000,
    baselineJitterPercent: 15,
    baselineRequests: 50,
    baselineBufferPercent: 25,
  },
  queueLength: 4,
  queueTimeoutMs: 100,
};

/** A request whose client can leave. */
class Client {
  readonly #callbacks: (() => void)[] = [];
  onceFinished(callback: () => void): void {
    this.#callbacks.push(callback);
  }
  leave(): void {
    for (const callback of this.#callbacks) callback();
  }
}

function gateOf(changes: Partial<OverloadSettings> = {}) {
  const time = createVirtualTime();
  const gate = new OverloadGate({ ...SETTINGS, ...changes }, { ...time, random: () => 0 });
  const ended: string[] = [];
  const places: Place[] = [];
  /** Enters, and notes how the entry ended. */
  const enter = (name: string, priority: number, client = new Client()): Client => {
    void (async () => {
      const place = await gate.enter(priority, client);
      if (place !== undefined) places.push(place);
      ended.push(`${name} ${place === undefined ? "out" : "in"}`);
    })();
    return client;
  };
  return { time, gate, ended, places, enter };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the gate of an Overload document", () => {
  it("lets requests wait, and admits the most important first, in order of arrival", async () => {
    const { gate, enter, ended, places } = gateOf();
    for (const name of ["a", "b", "c"]) enter(name, 3);
    for (const [name, priority] of [
      ["late", 7],
      ["usual", 3],
      ["first", 0],
      ["second", 0],
    ] as const)
      enter(name, priority);
    await settled();
    assert.deepEqual(ended, ["a in", "b in", "c in"]);
    assert.deepEqual([gate.active, gate.waiting], [3, 4]);
    for (let left = 0; left < 4; left++) {
      places[left]?.leave();
      places[left]?.leave();
      await settled();
    }
    assert.deepEqual(ended.slice(3), ["first in", "second in", "usual in", "late in"]);
    assert.deepEqual([gate.active, gate.waiting], [3, 0]);
  });

  it("sheds the least important, longest wait when the queue is full, and equal ones not at all", async () => {
    const { gate, enter, ended } = gateOf({ queueLength: 2 });
    for (const name of ["a", "b", "c"]) enter(name, 3);
    enter("old", 5);
    enter("new", 5);
    enter("equal", 5);
    enter("worse", 6);
    enter("better", 4);
    await settled();
    assert.deepEqual(ended.slice(3), ["equal out", "worse out", "old out"]);
    assert.deepEqual(gate.counts[5], { admitted: 0, waited: 0, shed: 2 });
    assert.equal(gate.waiting, 2);
  });

  it("sheds a request after the longest wait, and forgets one whose client left", async () => {
    const { gate, enter, ended, time, places } = gateOf();
    for (const name of ["a", "b", "c"]) enter(name, 3);
    enter("slow", 3);
    const gone = enter("gone", 0);
    gone.leave();
    time.advance(99);
    await settled();
    assert.deepEqual(ended.slice(3), ["gone out"]);
    time.advance(1);
    await settled();
    assert.deepEqual(ended.slice(4), ["slow out"]);
    assert.deepEqual([gate.counts[0]?.shed, gate.counts[3]?.shed, gate.waiting], [0, 1, 0]);
    places[0]?.leave();
    assert.equal(gate.active, 2);
    assert.equal(time.scheduled, 0);
  });

  it("in shadow mode counts what it would shed, and lets everything pass", async () => {
    const { gate, enter, ended } = gateOf({ mode: "shadow" });
    for (let request = 0; request < 10; request++) enter(`${request}`, 3);
    await settled();
    assert.ok(ended.every((end) => end.endsWith(" in")));
    assert.deepEqual(gate.counts[3], { admitted: 10, waited: 0, shed: 7 });
  });

  it("opens when its document goes, also for those that wait, and closes when it comes back", async () => {
    const { gate, enter, ended } = gateOf();
    for (const name of ["a", "b", "c", "d"]) enter(name, 3);
    await settled();
    assert.equal(ended.length, 3);
    gate.open();
    enter("e", 7);
    await settled();
    assert.equal(ended.length, 5);
    assert.equal(gate.active, 5);
    gate.configure({ ...SETTINGS, queueLength: 0 });
    enter("f", 0);
    await settled();
    assert.equal(ended.at(-1), "f out");
  });

  it("never has more under way than its limit, loses no place, and ends every wait", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("enter" as const), priority: fc.nat(7) }),
      fc.record({ kind: fc.constantFrom("leave" as const, "client" as const), at: fc.nat(100) }),
      fc.record({ kind: fc.constant("time" as const), ms: fc.nat(150) }),
    );
    return fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { gate, enter, ended, time, places } = gateOf();
        const clients: Client[] = [];
        for (const taken of steps) {
          if (taken.kind === "enter") clients.push(enter("r", taken.priority));
          else if (taken.kind === "time") time.advance(taken.ms);
          else if (taken.kind === "leave") places.splice(taken.at % (places.length || 1), 1)[0]?.leave();
          else clients[taken.at % (clients.length || 1)]?.leave();
          await Promise.resolve();
          assert.ok(gate.active <= gate.limit, `${gate.active} above ${gate.limit}`);
          assert.ok(gate.waiting <= SETTINGS.queueLength);
        }
        time.advance(1_000);
        await settled();
        assert.equal(ended.length, clients.length);
        assert.equal(gate.active, places.length);
        assert.equal(time.scheduled, 0);
      }),
      { numRuns: 100 },
    );
  });
});

/** A service with `slots` requests at a time, each for `serviceMs` with some variance; others queue in it. */
class Service {
  readonly #slots: number;
  readonly #serviceMs: number;
  readonly #time: ReturnType<typeof createVirtualTime>;
  readonly #random: () => number;
  readonly #queue: (() => void)[] = [];
  #busy = 0;

  constructor(
    slots: number,
    serviceMs: number,
    time: ReturnType<typeof createVirtualTime>,
    random: () => number,
  ) {
    this.#slots = slots;
    this.#serviceMs = serviceMs;
    this.#time = time;
    this.#random = random;
  }

  call(onAnswer: () => void): void {
    if (this.#busy === this.#slots) this.#queue.push(() => this.#serve(onAnswer));
    else this.#serve(onAnswer);
  }

  #serve(onAnswer: () => void): void {
    this.#busy++;
    this.#time.scheduler.after(this.#serviceMs * (0.5 + this.#random()), () => {
      this.#busy--;
      this.#queue.shift()?.();
      onAnswer();
    });
  }
}

interface Outcome {
  offered: number;
  answered: number;
  readonly latenciesMs: number[];
}

/** Ten slots and 20 ms make 500 requests a second. */
const CAPACITY = 500;
const USUAL_SECONDS = 10;
const OVERLOADED_SECONDS = 120;

/**
 * Sends requests at a usual rate for a while, and then at `ratePerSecond`, which alone is measured. A quarter of the
 * requests are critical.
 */
async function overloadRun(
  ratePerSecond: number,
  settings: Partial<OverloadSettings> | undefined,
  seed: number,
) {
  const time = createVirtualTime();
  const random = createSeededRandom(seed);
  const service = new Service(10, 20, time, random);
  const gate = new OverloadGate({ ...SETTINGS, queueLength: 100, ...settings }, { ...time, random });
  if (settings === undefined) gate.open();
  const outcomes: Record<"critical" | "other", Outcome> = {
    critical: { offered: 0, answered: 0, latenciesMs: [] },
    other: { offered: 0, answered: 0, latenciesMs: [] },
  };
  const send = async (): Promise<void> => {
    const isCritical = random() < 0.25;
    const outcome = outcomes[isCritical ? "critical" : "other"];
    outcome.offered++;
    const startMs = time.clock.monotonicMs();
    const entered = gate.enter(isCritical ? 0 : 5, { onceFinished: () => undefined });
    const place = entered instanceof Promise ? await entered : entered;
    if (place === undefined) return;
    place.sent();
    service.call(() => {
      place.answered();
      place.leave();
      outcome.answered++;
      outcome.latenciesMs.push(time.clock.monotonicMs() - startMs);
    });
  };
  const sendFor = async (seconds: number, rate: number): Promise<void> => {
    const endMs = time.clock.monotonicMs() + seconds * 1_000;
    while (time.clock.monotonicMs() < endMs) {
      // Poisson arrivals.
      time.advance((-Math.log(1 - random()) * 1_000) / rate);
      void send();
      await Promise.resolve();
    }
  };
  await sendFor(USUAL_SECONDS, CAPACITY / 2);
  for (const outcome of Object.values(outcomes)) {
    outcome.offered = outcome.answered = 0;
    outcome.latenciesMs.length = 0;
  }
  await sendFor(OVERLOADED_SECONDS, ratePerSecond);
  return outcomes;
}

function p99Ms({ latenciesMs }: Outcome): number {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] as number;
}

describe("at three times the capacity of a service", function () {
  this.timeout(60_000);
  for (const seed of [1, 2, 3]) {
    it(`critical requests keep 95 % of their goodput, and twice their p99 (seed ${seed})`, async () => {
      const unloaded = await overloadRun(CAPACITY / 10, undefined, seed);
      const { critical, other } = await overloadRun(3 * CAPACITY, {}, seed);
      const goodput = critical.answered / critical.offered;
      assert.ok(goodput >= 0.95, `goodput ${goodput}`);
      const [p99, unloadedP99] = [p99Ms(critical), p99Ms(unloaded.critical)];
      assert.ok(p99 <= 2 * unloadedP99, `p99 ${p99} ms, unloaded ${unloadedP99} ms`);
      // The rest of the capacity is not wasted.
      const used = (critical.answered + other.answered) / (OVERLOADED_SECONDS * CAPACITY);
      assert.ok(used > 0.8, `${used} of the capacity is used`);
    });
  }
});
