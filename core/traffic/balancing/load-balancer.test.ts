// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createSeededRandom } from "../../../plugins/sdk/testing/seeded-random.ts";
import { createPicker, pickAvoiding } from "./load-balancer.ts";
import type { Candidate } from "./picker.ts";

interface Endpoint extends Candidate {
  readonly name: string;
  activeRequests: number;
}

const endpoints = (...weights: number[]): readonly Endpoint[] =>
  weights.map((weight, index) => ({ name: String(index), weight, activeRequests: 0 }));

/** Number of picks of each endpoint, in the endpoints' order. */
function countPicks(
  loadBalancer: Parameters<typeof createPicker>[0],
  candidates: readonly Endpoint[],
  picks: number,
  seed = 1,
): readonly number[] {
  const picker = createPicker(loadBalancer, candidates, createSeededRandom(seed));
  const counts = candidates.map(() => 0);
  for (let pick = 0; pick < picks; pick++) {
    const chosen = picker.pick();
    assert.ok(chosen !== undefined);
    counts[Number(chosen.name)] = (counts[Number(chosen.name)] as number) + 1;
  }
  return counts;
}

const POLICIES = ["round-robin", "least-request", "random"] as const;

describe("every picker", () => {
  for (const policy of POLICIES) {
    it(`${policy}: picks nothing from no endpoints, and the only endpoint of a single one`, () => {
      assert.equal(createPicker(policy, [], () => 0).pick(), undefined);
      assert.deepEqual(countPicks(policy, endpoints(5), 3), [3]);
    });

    it(`${policy}: gives each idle endpoint its share of the weights`, () => {
      const weights = [1, 2, 7, 10];
      const counts = countPicks(policy, endpoints(...weights), 20_000);
      weights.forEach((weight, index) => {
        const share = (counts[index] as number) / 20_000;
        assert.ok(Math.abs(share - weight / 20) < 0.015, `${weight} of 20 got ${share}`);
      });
    });

    it(`${policy}: picks existing endpoints at both ends of the random range`, () => {
      for (const chance of [0, 1 - Number.EPSILON]) {
        for (const weights of [
          [1, 1, 1],
          [1, 2, 3],
        ]) {
          const candidates = endpoints(...weights);
          const picker = createPicker(policy, candidates, () => chance);
          for (let pick = 0; pick < 10; pick++) assert.ok(candidates.includes(picker.pick() as Endpoint));
        }
      }
    });
  }
});

describe("round robin", () => {
  it("picks equal endpoints in turn from a random start", () => {
    const candidates = endpoints(1, 1, 1);
    const picker = createPicker("round-robin", candidates, () => 0.5);
    assert.deepEqual(
      [1, 2, 3, 4].map(() => picker.pick()?.name),
      ["1", "2", "0", "1"],
    );
  });

  it("is never further than one or two requests from each endpoint's fair share, for any weights", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer(), fc.integer({ min: 1, max: 400 }), (some, seed, picks) => {
        const counts = countPicks("round-robin", endpoints(...some), picks, seed);
        const sum = some.reduce((total, weight) => total + weight, 0);
        some.forEach((weight, index) => {
          const fair = (picks * weight) / sum;
          // Rounds are the unit of fairness: an incomplete round may add or cost one request.
          const tolerance = 2 + some.length * (weight / sum);
          assert.ok(
            Math.abs((counts[index] as number) - fair) <= tolerance,
            `${counts.join()} for ${some.join()}`,
          );
        });
      }),
      { numRuns: 200 },
    );
  });

  it("spreads the picks of a heavy endpoint evenly", () => {
    const candidates = endpoints(5, 1);
    const picker = createPicker("round-robin", candidates, createSeededRandom(1));
    const names = Array.from({ length: 60 }, () => picker.pick()?.name).join("");
    assert.ok(!names.includes("11"), names);
    assert.ok(!names.includes("000000"), names);
  });
});

describe("least request", () => {
  it("picks the less busy of two different endpoints", () => {
    const candidates = endpoints(1, 1);
    (candidates[0] as Endpoint).activeRequests = 1;
    assert.deepEqual(countPicks("least-request", candidates, 100), [0, 100]);
  });

  it("mostly avoids a slow endpoint among many", () => {
    const candidates = endpoints(1, 1, 1, 1, 1);
    (candidates[2] as Endpoint).activeRequests = 50;
    assert.equal(countPicks("least-request", candidates, 1000)[2], 0);
  });

  it("weighs unequal endpoints by weight ÷ (active + 1)", () => {
    const candidates = endpoints(1, 3);
    (candidates[1] as Endpoint).activeRequests = 5;
    const [light] = countPicks("least-request", candidates, 20_000) as [number, number];
    // 1 ÷ 1 against 3 ÷ 6.
    assert.ok(Math.abs(light / 20_000 - 2 / 3) < 0.015, `${light}`);
  });
});

describe("picking for a retry", () => {
  it("picks another endpoint if there is one", () => {
    const candidates = endpoints(1, 1, 1);
    const picker = createPicker("round-robin", candidates, () => 0);
    const tried = candidates.slice(0, 2);
    for (let retry = 0; retry < 5; retry++) assert.equal(pickAvoiding(picker, tried)?.name, "2");
  });

  it("picks the only endpoint again", () => {
    const candidates = endpoints(1);
    assert.equal(
      pickAvoiding(
        createPicker("random", candidates, () => 0),
        candidates,
      )?.name,
      "0",
    );
    assert.equal(
      pickAvoiding(
        createPicker("random", [], () => 0),
        [],
      ),
      undefined,
    );
  });
});
