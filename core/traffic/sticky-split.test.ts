// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { textHash } from "../../kernel/text-hash.ts";
import { chooseByHash, splitSeeds } from "./sticky-split.ts";

const KEYS = 100_000;

function destinationsOf(weights: Readonly<Record<string, number>>) {
  const clusters = Object.keys(weights);
  const seeds = splitSeeds(clusters);
  return clusters.map((cluster, index) => ({
    cluster,
    weight: weights[cluster] ?? 0,
    splitSeed: seeds[index] ?? 0,
  }));
}

const hashes = Array.from({ length: KEYS }, (_, index) => textHash(`user-${index}`));

function choose(weights: Readonly<Record<string, number>>): readonly string[] {
  const destinations = destinationsOf(weights);
  return hashes.map((hash) => chooseByHash(destinations, hash)?.cluster ?? "none");
}

describe("a sticky split", () => {
  it("has the shares of the weights within half a percentage point, over 100,000 keys", () => {
    for (const weights of [
      { v1: 90, v2: 10 },
      { v1: 1, v2: 1 },
      { v1: 99, v2: 1 },
      { v1: 50, v2: 30, v3: 20 },
      { a: 1, b: 2, c: 3, d: 4, e: 5 },
    ] as Readonly<Record<string, number>>[]) {
      const chosen = choose(weights);
      const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
      for (const [cluster, weight] of Object.entries(weights)) {
        const share = chosen.filter((each) => each === cluster).length / KEYS;
        assert.ok(Math.abs(share - weight / sum) < 0.005, `${cluster}: ${share} for ${weight}/${sum}`);
      }
    }
  });

  it("moves only the keys of the change between two destinations", () => {
    const before = choose({ v1: 90, v2: 10 });
    const after = choose({ v1: 75, v2: 25 });
    const moved = before.filter((from, index) => from !== after[index]);
    assert.ok(moved.every((from) => from === "v1"));
    assert.ok(Math.abs(moved.length / KEYS - 0.15) < 0.005, `${moved.length} keys`);
  });

  it("moves at most 2d / (1 + d) of the keys among several, where d is the change of the shares", () => {
    const before = choose({ v1: 90, v2: 10, v3: 20 });
    const after = choose({ v1: 80, v2: 20, v3: 20 });
    const moved = before.filter((from, index) => {
      const to = after[index];
      if (from !== to) assert.ok(from !== "v2" && to !== "v1", `${from} to ${to}`);
      return from !== to;
    });
    const change = 10 / 120;
    assert.ok(moved.length / KEYS < (2 * change) / (1 + change), `${moved.length} keys`);
  });

  it("sends the keys of a destination that goes away to the others in their proportions, and moves no other key", () => {
    const before = choose({ v1: 60, v2: 30, v3: 10 });
    const after = choose({ v1: 60, v2: 30 });
    let toFirst = 0;
    let moved = 0;
    for (const [index, from] of before.entries()) {
      if (from !== "v3") assert.equal(after[index], from);
      else {
        moved++;
        if (after[index] === "v1") toFirst++;
      }
    }
    assert.ok(Math.abs(toFirst / moved - 2 / 3) < 0.02, `${toFirst} of ${moved}`);
  });

  it("never moves a key to a share that fell, nor from one that grew, and never for another order", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(weights, fc.nat(), fc.integer({ min: 1, max: 100 }), (old, at, weight) => {
        const grown = at % old.length;
        const named = (of: readonly number[]) =>
          destinationsOf(Object.fromEntries(of.map((each, index) => [`c${index}`, each])));
        const before = named(old);
        const after = named(old.map((each, index) => (index === grown ? each + weight : each)));
        for (const hash of hashes.slice(0, 50)) {
          const from = chooseByHash(before, hash)?.cluster;
          const to = chooseByHash(after, hash)?.cluster;
          if (from !== to) assert.equal(to, `c${grown}`);
          assert.equal(chooseByHash(before.toReversed(), hash)?.cluster, from);
        }
      }),
    );
  });

  it("spreads the keys of a share evenly over what else their hash decides", () => {
    const chosen = choose({ v1: 80, v2: 20 });
    const counts = [0, 0, 0, 0];
    for (const [index, cluster] of chosen.entries())
      if (cluster === "v2") counts[Math.floor(((hashes[index] ?? 0) / 2 ** 53) * 4)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 5_000) < 300, counts.join());
  });

  it("tells two destinations of one cluster apart", () => {
    assert.equal(new Set(splitSeeds(["a", "a", "b", "a"])).size, 4);
  });

  it("gives every key a destination, whatever its hash and the weights", () => {
    for (const hash of [0, 1, 2 ** 53 - 1])
      for (const weights of [
        { a: 1, b: 1_000_000 },
        { a: 1_000_000, b: 1 },
      ])
        assert.ok(chooseByHash(destinationsOf(weights), hash) !== undefined);
  });
});
