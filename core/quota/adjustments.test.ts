// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { Adjustments, OWN_ADJUSTMENTS } from "./adjustments.ts";
import { MAX_ADJUSTMENTS, type QuotaAdjustment } from "./quota-view.ts";

const raise = (cell: string, limit: number, leftMs = 1_000): QuotaAdjustment => ({
  kind: "raise",
  cell,
  limit,
  leftMs,
  by: "127.0.0.1",
  reason: "test",
  madeAtMs: 0,
});
const block = (cell: string, leftMs = 1_000): QuotaAdjustment => ({
  ...raise(cell, 0, leftMs),
  kind: "block",
});

describe("adjustments of counts", () => {
  it("have an effect until they end", () => {
    const time = createVirtualTime();
    const adjustments = new Adjustments(time.clock);
    assert.equal(adjustments.effectOn("p{}", "redis"), undefined);
    adjustments.put(OWN_ADJUSTMENTS, raise("p{}", 20, 1_000));
    adjustments.put(OWN_ADJUSTMENTS, block("p{}", 400));
    assert.deepEqual(adjustments.effectOn("p{}", "redis"), { raisedTo: 20, blockedForMs: 400 });
    assert.equal(adjustments.effectOn("q{}", "redis"), undefined);
    time.advance(400);
    assert.deepEqual(adjustments.effectOn("p{}", "redis"), { raisedTo: 20 });
    time.advance(600);
    assert.equal(adjustments.effectOn("p{}", "redis"), undefined);
    assert.deepEqual(adjustments.list(OWN_ADJUSTMENTS), []);
  });

  it("of a store have an effect on its counts alone, together with the process's own", () => {
    const adjustments = new Adjustments(createVirtualTime().clock);
    adjustments.replace("redis", [raise("p{}", 30), block("p{}", 100)]);
    adjustments.put(OWN_ADJUSTMENTS, raise("p{}", 20));
    adjustments.put(OWN_ADJUSTMENTS, block("p{}", 700));
    assert.deepEqual(adjustments.effectOn("p{}", "redis"), { raisedTo: 30, blockedForMs: 700 });
    assert.deepEqual(adjustments.effectOn("p{}", "other"), { raisedTo: 20, blockedForMs: 700 });
    adjustments.keepOnly(new Set(["other"]));
    assert.deepEqual(adjustments.effectOn("p{}", "redis"), { raisedTo: 20, blockedForMs: 700 });
  });

  it("are replaced, listed by policy, and removed", () => {
    const time = createVirtualTime();
    const adjustments = new Adjustments(time.clock);
    for (const one of [raise("p{}", 5), raise("p{}", 9), block('p{"a":1}'), block("pp{}")])
      adjustments.put(OWN_ADJUSTMENTS, one);
    time.advance(10);
    assert.deepEqual(adjustments.list(OWN_ADJUSTMENTS, "p"), [raise("p{}", 9, 990), block('p{"a":1}', 990)]);
    assert.equal(adjustments.remove(OWN_ADJUSTMENTS, "raise", "p{}"), true);
    assert.equal(adjustments.remove(OWN_ADJUSTMENTS, "raise", "p{}"), false);
    assert.equal(adjustments.list(OWN_ADJUSTMENTS).length, 2);
  });

  it("are bounded: the ended ones make room", () => {
    const time = createVirtualTime();
    const adjustments = new Adjustments(time.clock);
    const many = Array.from({ length: MAX_ADJUSTMENTS }, (_, user) => block(`p{"user":${user}}`, 500 + user));
    adjustments.replace(OWN_ADJUSTMENTS, many);
    assert.throws(() => adjustments.put(OWN_ADJUSTMENTS, block("p{}")), {
      code: "PURSER_QUOTA_ADJUSTMENTS_FULL",
    });
    adjustments.put(OWN_ADJUSTMENTS, block('p{"user":7}', 9_000));
    time.advance(500);
    adjustments.put(OWN_ADJUSTMENTS, block("p{}"));
    assert.equal(adjustments.list(OWN_ADJUSTMENTS).length, MAX_ADJUSTMENTS);
  });
});
