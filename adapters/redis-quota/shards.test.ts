// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { SLOTS, slotOf } from "./cluster/key-slot.ts";
import { createShards, shardOf } from "./shards.ts";

describe("the shards of a cluster", () => {
  it("are one in each equal part of the slots, with the slot of their hash tag", () => {
    for (const count of [2, 3, 16, 100, 1_024]) {
      const shards = createShards("a:{b}:c", count);
      assert.equal(shards.length, count);
      for (const [index, { keyPrefix, slot }] of shards.entries()) {
        const tag = /^a:\{(b\.\d+)\}:c$/.exec(keyPrefix)?.[1];
        assert.equal(slotOf(tag ?? ""), slot);
        assert.equal(Math.floor((slot * count) / SLOTS), index);
      }
    }
  });

  it("have the prefix itself when there is one", () => {
    assert.deepEqual(createShards("a:{b}:c", 1), [{ keyPrefix: "a:{b}:c", slot: slotOf("b") }]);
  });

  it("keep their hash tags, which have counts already", () => {
    const tags = createShards("purser:{quota}:", 4).map(({ keyPrefix }) => keyPrefix);
    assert.deepEqual(tags, [
      "purser:{quota.3}:",
      "purser:{quota.2}:",
      "purser:{quota.1}:",
      "purser:{quota.4}:",
    ]);
    assert.deepEqual(
      ['p{"user":"ada"}', "p{}", "q{}", "p", 'p{"a":"{}"}'].map((cell) => shardOf(cell, 1_024)),
      [693, 254, 713, 689, 828],
    );
  });

  it("hold counts with the same key values together, and counts without a key by their policy", () => {
    assert.equal(shardOf('second{"user":"ada"}', 1_024), shardOf('day{"user":"ada"}', 1_024));
    assert.notEqual(shardOf("second{}", 1_024), shardOf("day{}", 1_024));
    assert.notEqual(shardOf("second", 1_024), shardOf("day", 1_024));
  });

  it("are within their number for any name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 1_024 }), (cell, count) => {
        const shard = shardOf(cell, count);
        assert.ok(Number.isInteger(shard) && shard >= 0 && shard < count);
      }),
    );
  });

  it("get equal numbers of counts", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let user = 0; user < 16_000; user++) {
      const shard = shardOf(`p{"user":"${user}"}`, 16);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(count > 850 && count < 1_150, counts.join(", "));
  });
});
