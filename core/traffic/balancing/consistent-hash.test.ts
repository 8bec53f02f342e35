// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createSeededRandom } from "../../../plugins/sdk/testing/seeded-random.ts";
import { textHash } from "../../../kernel/text-hash.ts";
import {
  assertShares,
  endpointOf,
  endpointsOf,
  MAGLEV,
  pickerOf,
  RING,
  sharesOf,
  type TestEndpoint,
  userHash,
} from "./candidates.test.ts";
import { pickAvoiding } from "./load-balancer.ts";
import { buildMaglevTable, MAX_MAGLEV_TABLE_SIZE } from "./picker-maglev.ts";
import { createRingHashPicker, MAX_RING_SIZE } from "./picker-ring-hash.ts";

const equal = (count: number): readonly TestEndpoint[] => endpointsOf(...Array<number>(count).fill(1));

const USERS = 20_000;

/** Part of the users whose endpoint differs between two sets. */
function movedPart(
  loadBalancer: typeof RING,
  before: readonly TestEndpoint[],
  after: readonly TestEndpoint[],
): number {
  const [one, other] = [pickerOf(loadBalancer, before), pickerOf(loadBalancer, after)];
  let moved = 0;
  for (let user = 0; user < USERS; user++) {
    const hash = userHash(user);
    if (one.pick(hash)?.key !== other.pick(hash)?.key) moved++;
  }
  return moved / USERS;
}

describe("consistent hashing", () => {
  for (const loadBalancer of [RING, MAGLEV]) {
    const { kind } = loadBalancer;

    it(`${kind}: sends equal values to the same endpoint in every proxy, in whatever order it lists endpoints`, () => {
      const candidates = endpointsOf(1, 2, 3, 1, 5);
      const shuffled = [3, 0, 4, 2, 1].map((index) => candidates[index] as TestEndpoint);
      const [one, other] = [
        pickerOf(loadBalancer, candidates, {}, 1),
        pickerOf(loadBalancer, shuffled, {}, 2),
      ];
      for (let user = 0; user < 2_000; user++)
        assert.equal(one.pick(userHash(user)), other.pick(userHash(user)));
    });

    for (const count of [2, 3, 9, 10, 50, 63, 64, 65, 100, 300, 1000]) {
      it(`${kind}: moves at most 1/n + 2 % of the values when one of ${count} endpoints comes or goes`, () => {
        const all = equal(count);
        for (const gone of new Set([0, count >> 1, count - 1])) {
          const moved = movedPart(
            loadBalancer,
            all,
            all.filter((_, index) => index !== gone),
          );
          assert.ok(moved <= 1 / count + 0.02, `${moved} of the values moved`);
        }
      });
    }

    it(`${kind}: picks at random for a request without the value`, () => {
      const candidates = equal(4);
      const picker = pickerOf(loadBalancer, candidates);
      const counts = new Map<TestEndpoint | undefined, number>();
      for (let pick = 0; pick < 20_000; pick++) {
        const chosen = picker.pick();
        counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
      }
      for (const candidate of candidates) {
        const share = (counts.get(candidate) ?? 0) / 20_000;
        assert.ok(Math.abs(share - 0.25) < 0.05, `${share}`);
      }
    });

    it(`${kind}: finds another endpoint for each retry, always the same one, down to the last of four`, () => {
      const picker = pickerOf(loadBalancer, equal(4));
      for (let user = 0; user < USERS; user++) {
        const hash = userHash(user);
        const tried: TestEndpoint[] = [];
        while (tried.length < 3) {
          const next = pickAvoiding(picker, tried, hash) as TestEndpoint;
          assert.ok(!tried.includes(next), `user ${user} after ${tried.length}`);
          assert.equal(pickAvoiding(picker, tried, hash), next);
          tried.push(next);
        }
      }
    });

    it(`${kind}: picks an endpoint for every hash, down to the last`, () => {
      const candidates = endpointsOf(1, 1_000_000, 7);
      const picker = pickerOf(loadBalancer, candidates);
      for (const hash of [0, 1, 2 ** 21 - 1, 2 ** 52, 2 ** 53 - 1])
        for (const attempt of [0, 1, 4]) assert.ok(picker.pick(hash, attempt) !== undefined);
    });

    it(`${kind}: builds its table for 1,000 endpoints of any weights in less than 50 ms`, () => {
      const random = createSeededRandom(3);
      const weights = {
        equal: () => 1,
        random: () => 1 + Math.floor(random() * 100),
        "one heavy": (_: unknown, index: number) => (index === 0 ? 1_000_000 : 1),
      };
      for (const [name, weigh] of Object.entries(weights)) {
        const candidates = endpointsOf(...Array.from({ length: 1_000 }, weigh));
        // The shortest of some: the machine may be busy.
        const times = Array.from({ length: 5 }, () => {
          const picker = pickerOf(loadBalancer, candidates);
          const start = performance.now();
          picker.pick(1);
          return performance.now() - start;
        });
        assert.ok(Math.min(...times) < 50, `${name}: ${times.join()} ms`);
      }
    });
  }

  it("hashes a text in well under a microsecond, and spreads similar texts evenly", () => {
    const buckets = new Float64Array(256);
    for (let user = 0; user < 256_000; user++) {
      const bucket = Math.floor(userHash(user) / 2 ** 45);
      buckets[bucket] = (buckets[bucket] as number) + 1;
    }
    // Chi-square with 255 degrees of freedom: above 340 by chance once in 4,000 times.
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chiSquare < 340, `${chiSquare}`);
  });

  it("changes half of a hash's bits with each bit of the text", () => {
    const flips = new Float64Array(32);
    const samples = 2_000;
    for (let sample = 0; sample < samples; sample++) {
      const one = Math.floor(textHash(`session-${sample * 2}`) / 2 ** 21);
      const other = Math.floor(textHash(`session-${sample * 2 + 1}`) / 2 ** 21);
      for (let bit = 0; bit < 32; bit++) flips[bit] = (flips[bit] as number) + (((one ^ other) >>> bit) & 1);
    }
    for (const [bit, count] of flips.entries())
      assert.ok(Math.abs(count / samples - 0.5) < 0.06, `bit ${bit}: ${count / samples}`);
  });
});

describe("ring hash", () => {
  it("gives each of five endpoints its share, with the spread of 1024 points", () => {
    const candidates = equal(5);
    // The standard deviation of a share is about 1 ÷ √1024 = 3.1 % of it; three of them.
    assertShares(sharesOf(pickerOf(RING, candidates), candidates), Array(5).fill(0.2), 0.2 * 0.094);
  });

  it("honours weights", () => {
    const candidates = endpointsOf(1, 2, 5, 10);
    const shares = sharesOf(pickerOf(RING, candidates), candidates);
    [1 / 18, 2 / 18, 5 / 18, 10 / 18].forEach((share, index) => {
      // Three standard deviations of the endpoint's own points: 102, 205, 512 and 1024 of them.
      const points = 1024 * [0.1, 0.2, 0.5, 1][index]!;
      assert.ok(Math.abs((shares[index] as number) - share) < (3 * share) / Math.sqrt(points), shares.join());
    });
  });

  it("gives an endpoint that is listed twice two shares", () => {
    const candidates = [endpointOf(1), endpointOf(1), endpointOf(2), endpointOf(3)];
    const [a = 0, b = 0] = sharesOf(pickerOf(RING, candidates), candidates);
    assert.ok(Math.abs(a + b - 0.5) < 0.05, `${a} + ${b}`);
  });

  it("moves no more than 2 % when each endpoint has only a dozen points", () => {
    // At 4,855 endpoints, 65,536 points are 13.5 for each: rounding them alike would move 1 in 14 values.
    const all = equal(4_855);
    assert.ok(movedPart(RING, all, all.slice(1)) < 0.02);
  });

  it("is more exact with more points", () => {
    const candidates = equal(4);
    const errorOf = (minimumRingSize: number): number => {
      const picker = createRingHashPicker(candidates, [1, 1, 1, 1], minimumRingSize, () => 0);
      return Math.max(...sharesOf(picker, candidates).map((share) => Math.abs(share - 0.25)));
    };
    assert.ok(errorOf(MAX_RING_SIZE) < 0.01);
    assert.ok(errorOf(16) > errorOf(MAX_RING_SIZE));
  });
});

describe("Maglev", () => {
  const entriesOf = (candidates: readonly TestEndpoint[], tableSize: number): readonly number[] => {
    const counts = candidates.map(() => 0);
    const weights = candidates.map(({ weight }) => weight);
    for (const index of buildMaglevTable(candidates, weights, tableSize))
      counts[index] = (counts[index] as number) + 1;
    return counts;
  };

  it("has the published numbers of entries for the weights 1 and 2", () => {
    assert.deepEqual(entriesOf(endpointsOf(1, 2), 65_537), [21_846, 43_691]);
  });

  it("gives turns by Envoy's rule, round by round", () => {
    for (const tableSize of [2, 3, 5, 7, 11, 13, 101]) {
      const expected = [0, 0];
      const due = [0, 0];
      for (let filled = 0, round = 1; filled < tableSize; round++) {
        for (const [index, weight] of [1, 2].entries()) {
          if (filled === tableSize || round * weight < (due[index] as number)) continue;
          due[index] = (due[index] as number) + 2;
          expected[index] = (expected[index] as number) + 1;
          filled++;
        }
      }
      assert.deepEqual(entriesOf(endpointsOf(1, 2), tableSize), expected, `${tableSize} entries`);
    }
  });

  it("fills the table with each endpoint's share, to one entry", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(weights, fc.constantFrom(2, 101, 65_537), (some, tableSize) => {
        const counts = entriesOf(endpointsOf(...some), tableSize);
        const sum = some.reduce((total, weight) => total + weight, 0);
        counts.forEach((count, index) => {
          const fair = (tableSize * (some[index] as number)) / sum;
          // Each endpoint may be one turn ahead, and so may all others.
          assert.ok(Math.abs(count - fair) <= some.length + 1, `${counts.join()} for ${some.join()}`);
        });
      }),
      { numRuns: 60 },
    );
  });

  it("gives each endpoint its share of requests", () => {
    const candidates = endpointsOf(1, 2, 7, 10);
    assertShares(sharesOf(pickerOf(MAGLEV, candidates), candidates), [0.05, 0.1, 0.35, 0.5], 0.006);
  });

  it("builds the largest table in less than 50 ms", () => {
    const candidates = equal(1_000);
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      entriesOf(candidates, MAX_MAGLEV_TABLE_SIZE);
      return performance.now() - start;
    });
    assert.ok(Math.min(...times) < 50, `${times.join()} ms`);
  });
});
