// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { SpaceSaving } from "./space-saving.ts";

describe("the sketch of the largest keys", () => {
  it("is exact while it has a place for every key", () => {
    const sketch = new SpaceSaving(3);
    for (const [key, amount] of [
      ["a", 2],
      ["b", 5],
      ["a", 4],
      ["c", 1],
    ] as const)
      sketch.add(key, amount);
    assert.deepEqual(sketch.top(2), [
      { key: "a", amount: 6, over: 0 },
      { key: "b", amount: 5, over: 0 },
    ]);
    assert.equal(sketch.total, 12);
  });

  it("gives a new key the place of the smallest, with its amount as the overestimation", () => {
    const sketch = new SpaceSaving(2);
    for (const [key, amount] of [
      ["a", 5],
      ["b", 2],
      ["c", 1],
    ] as const)
      sketch.add(key, amount);
    assert.deepEqual(sketch.top(9), [
      { key: "a", amount: 5, over: 0 },
      { key: "c", amount: 3, over: 2 },
    ]);
  });

  it("keeps its bounds against exact counts of any stream", () => {
    // Few keys are frequent, as in real traffic; many others come once.
    const key = fc.oneof(fc.nat(3), fc.nat(60)).map((number) => `k${number}`);
    const item = fc.tuple(key, fc.integer({ min: 1, max: 50 }));
    const stream = fc.array(item, { maxLength: 300, size: "max" });
    let replaced = 0;
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 12 }), (items, capacity) => {
        const sketch = new SpaceSaving(capacity);
        const exact = new Map<string, number>();
        for (const [name, amount] of items) {
          sketch.add(name, amount);
          exact.set(name, (exact.get(name) ?? 0) + amount);
        }
        const entries = sketch.top(capacity);
        const total = items.reduce((sum, [, amount]) => sum + amount, 0);
        assert.equal(sketch.total, total);
        assert.ok(entries.length <= capacity);
        for (const { key: name, amount, over } of entries) {
          const truth = exact.get(name) ?? 0;
          assert.ok(
            amount - over <= truth && truth <= amount,
            `${name}: ${amount} - ${over}, truly ${truth}`,
          );
          assert.ok(over <= total / capacity);
          if (over > 0) replaced++;
        }
        const listed = new Set(entries.map(({ key: name }) => name));
        for (const [name, amount] of exact)
          assert.ok(amount <= total / capacity || listed.has(name), `${name} is missing`);
      }),
      { numRuns: 300 },
    );
    assert.ok(replaced > 1_000, "the streams had more keys than places");
  });
});
