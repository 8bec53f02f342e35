// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSeededRandom } from "../../../plugins/sdk/testing/seeded-random.ts";
import type { SlowStart } from "../resources/load-balancer.ts";
import { assertShares, endpointOf, sharesOf } from "./candidates.test.ts";
import { createPicker } from "./load-balancer.ts";
import { slowStartFactor } from "./slow-start.ts";

const WINDOW: SlowStart = { windowMs: 60_000, aggression: 1, minimumPercent: 10 };

describe("the factor of slow start", () => {
  const CASES: readonly (readonly [more: Partial<SlowStart>, ageMs: number, factor: number])[] = [
    // The first second counts as a whole: 1 ÷ 60, which the minimum of 10 % exceeds.
    [{}, 0, 0.1],
    [{ minimumPercent: 0 }, 0, 1 / 60],
    [{ minimumPercent: 0 }, 500, 1 / 60],
    [{}, 6_000, 0.1],
    [{}, 30_000, 0.5],
    [{}, 59_999, 59_999 / 60_000],
    [{}, 60_000, 1],
    [{}, 1e9, 1],
    // Envoy's formula: 0.25 ^ (1 ÷ 2) and 0.5 ^ (1 ÷ 0.5).
    [{ aggression: 2 }, 15_000, 0.5],
    [{ aggression: 0.5 }, 30_000, 0.25],
    [{ minimumPercent: 100 }, 0, 1],
    [{ windowMs: 1_000, minimumPercent: 0 }, 0, 1],
  ];
  for (const [more, ageMs, factor] of CASES)
    it(`with ${JSON.stringify(more)} is ${factor.toFixed(4)} after ${ageMs} ms`, () => {
      assert.ok(Math.abs(slowStartFactor({ ...WINDOW, ...more }, ageMs) - factor) < 1e-9);
    });
});

describe("slow start", () => {
  for (const kind of ["round-robin", "least-request"] as const) {
    it(`${kind}: a new endpoint's share grows over the window, and then equals its weight's`, () => {
      let nowMs = 1_000_000;
      const candidates = [endpointOf(0), endpointOf(1), endpointOf(2, { readySinceMs: nowMs })];
      const ports = { random: createSeededRandom(5), clock: { monotonicMs: () => nowMs } };
      const picker = createPicker({ loadBalancer: { kind, slowStart: WINDOW } }, candidates, ports);
      const shareAt = (ageMs: number): number => {
        nowMs = 1_000_000 + ageMs;
        return sharesOf(picker, candidates, 20_000)[2] as number;
      };
      for (const [ageMs, factor] of [
        [0, 0.1],
        [30_000, 0.5],
        [45_000, 0.75],
        [60_000, 1],
        [1e9, 1],
      ] as const)
        assertShares([shareAt(ageMs)], [factor / (2 + factor)], 0.015);
    });

    it(`${kind}: endpoints of the same age share by their weights, and none fails`, () => {
      let nowMs = 0;
      const candidates = [endpointOf(0, { weight: 1 }), endpointOf(1, { weight: 4 })];
      const ports = { random: createSeededRandom(5), clock: { monotonicMs: () => nowMs } };
      const picker = createPicker({ loadBalancer: { kind, slowStart: WINDOW } }, candidates, ports);
      for (nowMs = 0; nowMs < 70_000; nowMs += 7_000)
        assertShares(sharesOf(picker, candidates, 10_000), [0.2, 0.8], 0.02);
    });
  }

  it("reads the clock no more once every endpoint is old", () => {
    let reads = 0;
    const clock = { monotonicMs: () => (reads++, 100_000) };
    const loadBalancer = { kind: "round-robin", slowStart: WINDOW } as const;
    const picker = createPicker({ loadBalancer }, [endpointOf(0), endpointOf(1)], { random: () => 0, clock });
    for (let pick = 0; pick < 100; pick++) picker.pick();
    assert.equal(reads, 1);
  });

  it("of a single endpoint and of none needs no clock", () => {
    const clock = { monotonicMs: () => assert.fail("the clock was read") };
    const loadBalancer = { kind: "least-request", slowStart: WINDOW } as const;
    const only = endpointOf(0);
    assert.equal(createPicker({ loadBalancer }, [only], { random: () => 0, clock }).pick(), only);
    assert.equal(createPicker({ loadBalancer }, [], { random: () => 0, clock }).pick(), undefined);
  });
});
