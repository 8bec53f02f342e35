// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AdaptiveLimitSettings } from "../resources/overload.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";

const SETTINGS: AdaptiveLimitSettings = {
  minConcurrency: 3,
  maxConcurrency: 100,
  updateIntervalMs: 100,
  latencyPercentile: 50,
  baselineIntervalMs: 60_000,
  baselineJitterPercent: 0,
  baselineRequests: 10,
  baselineBufferPercent: 25,
};

/** A limit whose baseline of 20 ms has been measured at 20 ms. */
function measured(changes: Partial<AdaptiveLimitSettings> = {}): AdaptiveLimit {
  const limit = new AdaptiveLimit({ ...SETTINGS, ...changes }, () => 0, 0);
  for (let request = 0; request < SETTINGS.baselineRequests; request++) limit.sample(0, 20);
  assert.equal(limit.baselineMs, 20);
  return limit;
}

/** One interval in which each request takes `latencyMs`, with as many under way as may be. */
function interval(limit: AdaptiveLimit, startMs: number, latencyMs: number, active = limit.current): void {
  limit.noteActive(active);
  for (let request = 0; request < 5; request++) {
    const doneMs = startMs + 100;
    limit.sample(doneMs - latencyMs, doneMs);
  }
}

describe("the adaptive limit", () => {
  it("is at its minimum until the baseline is measured, by requests that were sent since then", () => {
    const limit = new AdaptiveLimit(SETTINGS, () => 0, 1_000);
    assert.equal(limit.current, 3);
    for (let request = 0; request < 20; request++) limit.sample(999, 1_500);
    assert.equal(limit.baselineMs, undefined);
    for (let request = 0; request < 10; request++) limit.sample(1_000, 1_030);
    assert.equal(limit.baselineMs, 30);
  });

  it("ends a measurement after two seconds, whatever its number of requests", () => {
    const limit = new AdaptiveLimit(SETTINGS, () => 0, 0);
    for (let request = 0; request < 5; request++) limit.sample(0, 1_900);
    assert.equal(limit.baselineMs, undefined);
    limit.sample(0, 2_000);
    assert.equal(limit.baselineMs, 1_900);
  });

  it("changes by the documented formula: limit x baseline with its buffer / latency + square root", () => {
    const limit = measured();
    // At the latency that the buffer allows, only the square root is added: 3 + 1, then 4 + 2, then 6 + 2.
    for (const [index, expected] of [4, 6, 8].entries()) {
      interval(limit, 20 + index * 100, 25);
      assert.equal(limit.current, expected);
    }
    // Twice that latency: 8 / 2 + 2.
    interval(limit, 320, 50);
    assert.equal(limit.current, 6);
    // No change is by more than a half: 6 / 2 + 1.
    interval(limit, 420, 5_000);
    assert.equal(limit.current, 4);
    // Nor by more than twice: 4 x 2 + 2.
    interval(limit, 520, 1);
    assert.equal(limit.current, 10);
  });

  it("does not grow while less than half of it is used", () => {
    const limit = measured();
    interval(limit, 20, 20);
    const before = limit.current;
    interval(limit, 120, 20, Math.floor(before / 2) - 1);
    assert.equal(limit.current, before);
    interval(limit, 220, 20, Math.ceil(before / 2));
    assert.ok(limit.current > before);
  });

  it("measures anew after the interval, with its jitter, and after five changes at the minimum", () => {
    const limit = measured({ baselineJitterPercent: 50 });
    for (let at = 0; at < 20; at++) interval(limit, 20 + at * 100, 20);
    interval(limit, 59_900, 20);
    assert.equal(limit.current, 100, "no measurement before 60,020 ms");
    interval(limit, 60_000, 20);
    assert.equal(limit.current, 40, "less than half of the limit");
    for (let request = 0; request < 10; request++) limit.sample(60_101, 60_141);
    assert.equal(limit.baselineMs, 40);

    const slow = measured();
    for (let change = 0; change < 5; change++) interval(slow, 20 + change * 100, 10_000);
    for (let request = 0; request < 10; request++) slow.sample(520, 1_020);
    assert.equal(slow.baselineMs, 500, "the service is slower for good");
  });

  it("stays within its bounds, whatever the latencies and settings", () => {
    const step = fc.record({
      afterMs: fc.nat(300),
      latencyMs: fc.oneof(fc.constantFrom(0, 0.01, 1e9), fc.double({ min: 0, max: 10_000, noNaN: true })),
      active: fc.nat(200),
      max: fc.integer({ min: 3, max: 200 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const limit = new AdaptiveLimit(SETTINGS, () => 0.5, 0);
        let nowMs = 0;
        for (const { afterMs, latencyMs, active, max } of steps) {
          nowMs += afterMs;
          limit.noteActive(active);
          limit.sample(nowMs - latencyMs, nowMs);
          limit.configure({ ...SETTINGS, maxConcurrency: max });
          assert.ok(limit.current >= 3 && limit.current <= max, `${limit.current}`);
        }
      }),
    );
  });
});
