// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { outcome } from "../../test/support/quota-charges.ts";
import type { QuotaOutcome } from "./quota-charge.ts";
import { TOP_KEYS_PERIOD_MS, TopKeys } from "./top-keys.ts";

const granted = (cell: string, amount: number): QuotaOutcome => outcome("p", { cell, granted: amount });
const refused = (cell: string): QuotaOutcome => outcome("p", { cell, granted: 0, retryAfterMs: 5 });

function setUp() {
  const time = createVirtualTime();
  return { time, top: new TopKeys(time.clock) };
}

describe("the top keys of a policy", () => {
  it("are those with the largest granted amounts, and with the most refusals", () => {
    const { time, top } = setUp();
    for (const one of [granted("a", 3), granted("b", 5), granted("a", 4)]) top.observe(one, one.granted);
    for (const one of [refused("b"), refused("c"), refused("c")]) top.observe(one, 100);
    time.advance(50);
    assert.deepEqual(top.periodsOf("p", 1), [
      {
        agoMs: 50,
        current: true,
        charged: { total: 12, overAtMost: 0, entries: [{ key: "a", amount: 7, over: 0 }] },
        refused: { total: 3, overAtMost: 0, entries: [{ key: "c", amount: 2, over: 0 }] },
      },
    ]);
    assert.deepEqual(top.periodsOf("q", 1), []);
  });

  it("do not count give-backs, reads, undone charges, and what a store did not count", () => {
    const { top } = setUp();
    const failure = { code: "PURSER_STORE_UNAVAILABLE" } as const;
    top.observe(granted("back", -5), -5);
    top.observe(granted("read", 0), 0);
    top.observe(outcome("p", { cell: "undone", granted: 0, retryAfterMs: 0 }), 1);
    top.observe({ ...granted("allowed", 1), failure: { ...failure, applied: "allow" } }, 1);
    top.observe({ ...refused("denied"), failure: { ...failure, applied: "deny" } }, 1);
    assert.deepEqual(top.periodsOf("p", 10), []);
    top.observe({ ...granted("local", 1), failure: { ...failure, applied: "local" } }, 1);
    assert.equal(top.periodsOf("p", 10)[0]?.charged.total, 1);
  });

  it("state the largest overestimation once keys have replaced others", () => {
    const { top } = setUp();
    for (let user = 0; user < 300; user++) top.observe(granted(`user-${user}`, 2), 2);
    const [period] = top.periodsOf("p", 1_000);
    assert.equal(period?.charged.entries.length, 100);
    assert.equal(period?.charged.overAtMost, 6);
    for (const { amount, over } of period?.charged.entries ?? []) assert.ok(over <= 6 && amount - over <= 2);
  });

  it("begin anew each hour, and keep the hour before", () => {
    const { time, top } = setUp();
    top.observe(granted("first", 1), 1);
    time.advance(TOP_KEYS_PERIOD_MS);
    top.observe(granted("second", 1), 1);
    const keys = () => top.periodsOf("p", 5).map(({ charged }) => charged.entries.map(({ key }) => key));
    assert.deepEqual(keys(), [["second"], ["first"]]);
    time.advance(TOP_KEYS_PERIOD_MS);
    assert.deepEqual(keys(), [[], ["second"]]);
    time.advance(2 * TOP_KEYS_PERIOD_MS);
    assert.deepEqual(keys(), [[]]);
  });

  it("are bounded in policies and in the length of keys", () => {
    const { top } = setUp();
    const [long, other] = ["x".repeat(600), `${"x".repeat(599)}y`];
    top.observe(granted(long, 1), 1);
    top.observe(granted(other, 1), 1);
    const names = top.periodsOf("p", 5)[0]?.charged.entries.map(({ key }) => key) ?? [];
    assert.equal(new Set(names).size, 2);
    assert.ok(names.every((name) => name.length < 540));
    for (let index = 0; index < 1_100; index++) top.observe(outcome(`p${index}`), 1);
    assert.deepEqual(top.periodsOf("p1050", 5), []);
    top.keepOnly(new Set(["p1"]));
    assert.deepEqual(top.periodsOf("p", 5), []);
    assert.equal(top.periodsOf("p1", 5).length, 1);
    top.observe(outcome("p1050"), 1);
    assert.equal(top.periodsOf("p1050", 5).length, 1);
  });
});
