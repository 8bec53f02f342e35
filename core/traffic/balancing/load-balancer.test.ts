// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  assertShares,
  endpointOf,
  endpointsOf,
  groupOf,
  MAGLEV,
  pickerOf,
  portsOf,
  RING,
  sharesOf,
  type TestEndpoint,
  userHash,
} from "./candidates.test.ts";
import { type BalancingPorts, createPicker, pickAvoiding } from "./load-balancer.ts";

/** Number of picks of each endpoint, in the endpoints' order. */
function countPicks(
  policy: (typeof POLICIES)[number],
  candidates: readonly TestEndpoint[],
  picks: number,
  seed = 1,
): readonly number[] {
  const picker = pickerOf({ kind: policy }, candidates, {}, seed);
  const counts = candidates.map(() => 0);
  for (let pick = 0; pick < picks; pick++) {
    const chosen = picker.pick();
    assert.ok(chosen !== undefined);
    const index = candidates.indexOf(chosen);
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

const POLICIES = ["round-robin", "least-request", "random"] as const;

/** Ports whose random numbers are all the same. */
const always = (chance: number): BalancingPorts => ({ ...portsOf(), random: () => chance });

describe("every picker", () => {
  for (const policy of POLICIES) {
    it(`${policy}: picks nothing from no endpoints, and the only endpoint of a single one`, () => {
      assert.equal(pickerOf({ kind: policy }, []).pick(), undefined);
      assert.deepEqual(countPicks(policy, endpointsOf(5), 3), [3]);
    });

    it(`${policy}: gives each idle endpoint its share of the weights`, () => {
      const weights = [1, 2, 7, 10];
      const counts = countPicks(policy, endpointsOf(...weights), 20_000);
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
          const candidates = endpointsOf(...weights);
          const picker = createPicker({ loadBalancer: { kind: policy } }, candidates, always(chance));
          for (let pick = 0; pick < 10; pick++) assert.ok(candidates.includes(picker.pick() as TestEndpoint));
        }
      }
    });
  }
});

describe("round robin", () => {
  it("picks equal endpoints in turn from a random start", () => {
    const candidates = endpointsOf(1, 1, 1);
    const picker = createPicker({ loadBalancer: { kind: "round-robin" } }, candidates, always(0.5));
    assert.deepEqual(
      [1, 2, 3, 4].map(() => candidates.indexOf(picker.pick() as TestEndpoint)),
      [1, 2, 0, 1],
    );
  });

  it("is never further than one or two requests from each endpoint's fair share, for any weights", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer(), fc.integer({ min: 1, max: 400 }), (some, seed, picks) => {
        const counts = countPicks("round-robin", endpointsOf(...some), picks, seed);
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
    const candidates = endpointsOf(5, 1);
    const picker = pickerOf({ kind: "round-robin" }, candidates);
    const names = Array.from({ length: 60 }, () => candidates.indexOf(picker.pick() as TestEndpoint)).join(
      "",
    );
    assert.ok(!names.includes("11"), names);
    assert.ok(!names.includes("000000"), names);
  });
});

describe("least request", () => {
  it("picks the less busy of two different endpoints", () => {
    const candidates = endpointsOf(1, 1);
    (candidates[0] as TestEndpoint).activeRequests = 1;
    assert.deepEqual(countPicks("least-request", candidates, 100), [0, 100]);
  });

  it("mostly avoids a slow endpoint among many", () => {
    const candidates = endpointsOf(1, 1, 1, 1, 1);
    (candidates[2] as TestEndpoint).activeRequests = 50;
    assert.equal(countPicks("least-request", candidates, 1000)[2], 0);
  });

  it("weighs unequal endpoints by weight ÷ (active + 1)", () => {
    const candidates = endpointsOf(1, 3);
    (candidates[1] as TestEndpoint).activeRequests = 5;
    const [light] = countPicks("least-request", candidates, 20_000) as [number, number];
    // 1 ÷ 1 against 3 ÷ 6.
    assert.ok(Math.abs(light / 20_000 - 2 / 3) < 0.015, `${light}`);
  });
});

describe("picking for a retry", () => {
  it("picks another endpoint if there is one", () => {
    const candidates = endpointsOf(1, 1, 1);
    const picker = createPicker({ loadBalancer: { kind: "round-robin" } }, candidates, always(0));
    const tried = candidates.slice(0, 2);
    for (let retry = 0; retry < 5; retry++) assert.equal(pickAvoiding(picker, tried), candidates[2]);
  });

  it("picks the only endpoint again", () => {
    const candidates = endpointsOf(1);
    assert.equal(
      pickAvoiding(createPicker({ loadBalancer: { kind: "random" } }, candidates, always(0)), candidates),
      candidates[0],
    );
    assert.equal(
      pickAvoiding(createPicker({ loadBalancer: { kind: "random" } }, [], always(0)), []),
      undefined,
    );
  });
});

const ALL = [{ kind: "round-robin" }, { kind: "least-request" }, { kind: "random" }, RING, MAGLEV] as const;

describe("health", () => {
  for (const loadBalancer of ALL) {
    it(`${loadBalancer.kind}: unhealthy endpoints get nothing, and the others their shares`, () => {
      const candidates = groupOf(6, 3, 0);
      const shares = sharesOf(pickerOf(loadBalancer, candidates), candidates, 20_000);
      assertShares(shares.slice(0, 3), [1 / 3, 1 / 3, 1 / 3], 0.06);
      assert.deepEqual(shares.slice(3), [0, 0, 0]);
    });

    it(`${loadBalancer.kind}: without a healthy endpoint there is none to pick, but all below a panic threshold`, () => {
      const candidates = groupOf(3, 3, 0);
      assert.equal(pickerOf(loadBalancer, candidates).pick(1), undefined);
      const panicking = pickerOf(loadBalancer, candidates, { panicThresholdPercent: 1 });
      for (const share of sharesOf(panicking, candidates, 5_000)) assert.ok(share > 0.2, `${share}`);
    });

    it(`${loadBalancer.kind}: is ignored strictly below the panic threshold only`, () => {
      const candidates = groupOf(4, 2, 0);
      const at = sharesOf(
        pickerOf(loadBalancer, candidates, { panicThresholdPercent: 50 }),
        candidates,
        2_000,
      );
      assert.deepEqual(at.slice(2), [0, 0]);
      const below = sharesOf(
        pickerOf(loadBalancer, candidates, { panicThresholdPercent: 51 }),
        candidates,
        2_000,
      );
      for (const share of below) assert.ok(share > 0.1, below.join());
    });
  }
});

describe("an existing picker", () => {
  it("never changes, whatever becomes of the endpoints and of other pickers", () => {
    const change = fc.record({ index: fc.nat(7), healthy: fc.boolean() });
    fc.assert(
      fc.property(
        fc.constantFrom(RING, MAGLEV, { kind: "random" } as const),
        fc.array(change, { maxLength: 20 }),
        (loadBalancer, changes) => {
          const candidates = groupOf(8, 2, 0).map((endpoint, index) =>
            Object.assign(endpoint, { priority: index % 2 }),
          );
          const picksOf = (): readonly (TestEndpoint | undefined)[] => {
            const { random, clock } = portsOf();
            const picker = createPicker({ loadBalancer }, candidates, { random, clock });
            return Array.from({ length: 64 }, (_, user) => picker.pick(userHash(user)));
          };
          const expected = picksOf();
          const picker = createPicker({ loadBalancer }, candidates, portsOf());
          // The table is built from the health at the creation, although it is built later.
          for (const { index, healthy } of changes) {
            (candidates[index] as TestEndpoint).healthy = healthy;
            pickerOf(loadBalancer, candidates).pick(1);
          }
          assert.deepEqual(
            Array.from({ length: 64 }, (_, user) => picker.pick(userHash(user))?.key),
            expected.map((endpoint) => endpoint?.key),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("priorities", () => {
  for (const loadBalancer of ALL) {
    it(`${loadBalancer.kind}: what too few healthy endpoints leave over goes to the next priority`, () => {
      const first = groupOf(4, 2, 0);
      const second = groupOf(4, 0, 10, { priority: 7 });
      const candidates = [...second, ...first];
      const shares = sharesOf(pickerOf(loadBalancer, candidates), candidates);
      const sum = shares.slice(4).reduce((total, share) => total + share, 0);
      assert.ok(Math.abs(sum - 0.7) < 0.01, `${sum}`);
    });
  }

  it("keep requests with the same hash at the same endpoint", () => {
    const candidates = [...groupOf(4, 2, 0), ...groupOf(4, 0, 10, { priority: 1 })];
    for (const loadBalancer of [RING, MAGLEV]) {
      const [one, other] = [1, 2].map((seed) => pickerOf(loadBalancer, candidates, {}, seed));
      for (let user = 0; user < 1_000; user++)
        assert.equal(one?.pick(userHash(user)), other?.pick(userHash(user)));
    }
  });
});

describe("localities with weights", () => {
  const candidates = [
    endpointOf(0, { locality: "r/a" }),
    endpointOf(1, { locality: "r/a", weight: 3 }),
    endpointOf(2, { locality: "r/b" }),
    endpointOf(3, { locality: "r/b" }),
  ];
  const localityWeights = { "r/a": 80, "r/b": 20 };
  for (const loadBalancer of ALL) {
    it(`${loadBalancer.kind}: share requests, and endpoints within them by their own weights`, () => {
      const shares = sharesOf(pickerOf(loadBalancer, candidates, { localityWeights }), candidates);
      assertShares(shares, [0.2, 0.6, 0.1, 0.1], 0.03);
    });

    it(`${loadBalancer.kind}: leave requests to others as far as too few endpoints are healthy`, () => {
      const some = candidates.map((endpoint, index) => ({ ...endpoint, healthy: index !== 0 }));
      const shares = sharesOf(pickerOf(loadBalancer, some, { localityWeights }), some);
      // The locality a takes 80 × 1.4 ÷ 2 = 56 parts, b 20.
      assertShares(shares, [0, 56 / 76, 10 / 76, 10 / 76], 0.03);
    });

    it(`${loadBalancer.kind}: in panic have no weights`, () => {
      const none = candidates.map((endpoint) => ({ ...endpoint, healthy: false }));
      const settings = { localityWeights, panicThresholdPercent: 50 };
      assertShares(
        sharesOf(pickerOf(loadBalancer, none, settings), none),
        [1 / 6, 1 / 2, 1 / 6, 1 / 6],
        0.04,
      );
    });
  }
});
