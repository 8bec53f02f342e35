// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSeededRandom } from "../../plugins/sdk/testing/seeded-random.ts";
import { chooseDestination, drawFault } from "./chance.ts";
import { NO_HEADER_OPERATIONS, type WeightedDestination } from "./resources/route.ts";

const destination = (cluster: string, weight: number): WeightedDestination => ({
  cluster,
  weight,
  requestHeaders: NO_HEADER_OPERATIONS,
  responseHeaders: NO_HEADER_OPERATIONS,
});

describe("random choices of a route", () => {
  it("chooses destinations by their share of the weights' sum, whatever the sum", () => {
    const random = createSeededRandom(7);
    const counts = new Map<string, number>();
    const destinations = [
      destination("a", 50),
      destination("b", 0),
      destination("c", 30),
      destination("d", 120),
    ];
    for (let draw = 0; draw < 20_000; draw++) {
      const chosen = chooseDestination(destinations, random)?.cluster as string;
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    assert.equal(counts.get("b"), undefined);
    for (const [cluster, share] of [
      ["a", 0.25],
      ["c", 0.15],
      ["d", 0.6],
    ] as const) {
      const got = (counts.get(cluster) as number) / 20_000;
      assert.ok(Math.abs(got - share) < 0.015, `${cluster}: ${got} instead of ${share}`);
    }
  });

  it("takes a single destination without a random number, and none from an empty list", () => {
    const never = () => assert.fail("drew");
    assert.equal(chooseDestination([destination("a", 1)], never)?.cluster, "a");
    assert.equal(chooseDestination([], never), undefined);
  });

  it("never misses all destinations because of rounding", () => {
    const destinations = [destination("a", 1), destination("b", 2), destination("c", 0)];
    assert.equal(chooseDestination(destinations, () => 1)?.cluster, "b");
  });

  it("injects faults at the given percentage, the delay independently of the abort", () => {
    const random = createSeededRandom(3);
    const rule = { delay: { delayMs: 100, percentage: 40 }, abort: { status: 503, percentage: 0.5 } };
    let delays = 0;
    let aborts = 0;
    for (let draw = 0; draw < 20_000; draw++) {
      const { delayMs, abort } = drawFault(rule, random);
      if (delayMs === 100) delays++;
      if (abort?.status === 503) aborts++;
    }
    assert.ok(Math.abs(delays / 20_000 - 0.4) < 0.015, `${delays} delays`);
    assert.ok(Math.abs(aborts / 20_000 - 0.005) < 0.002, `${aborts} aborts`);
  });

  it("always injects at 100 percent and never at 0", () => {
    const almostOne = () => 1 - Number.EPSILON;
    assert.equal(drawFault({ abort: { status: 500, percentage: 100 } }, almostOne).abort?.status, 500);
    assert.equal(drawFault({ abort: { status: 500, percentage: 0 } }, () => 0).abort, undefined);
    assert.deepEqual(
      drawFault(undefined, () => 0),
      { delayMs: 0, abort: undefined },
    );
  });
});
