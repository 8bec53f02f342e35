// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { priorityLoads } from "./priority-load.ts";

/** Healthy percent of each priority, the panic threshold, percent of requests, and the priorities in panic. */
const CASES: readonly (readonly [
  healthy: readonly number[],
  threshold: number,
  percents: readonly number[],
  panic?: readonly number[],
])[] = [
  // Envoy's tables of priority levels and of panic thresholds.
  [[100, 100], 50, [100, 0]],
  [[72, 72], 50, [100, 0]],
  [[71, 71], 50, [99, 1]],
  [[50, 60], 50, [70, 30]],
  [[50, 50], 50, [70, 30]],
  [[25, 100], 50, [35, 65]],
  [[0, 100], 50, [0, 100]],
  [[25, 75], 50, [35, 65]],
  [[25, 25], 50, [50, 50], [0, 1]],
  [[5, 65], 50, [7, 93], [0]],
  [[50, 10, 100], 0, [70, 14, 16]],
  [[20, 30], 0, [40, 60]],
  // Nothing is healthy: with a threshold all panic, without one the first priority fails its requests.
  [[0, 0], 50, [50, 50], [0, 1]],
  [[0, 0], 0, [100, 0]],
  [[0], 0, [100]],
  [[0], 1, [100], [0]],
  [[49], 50, [100], [0]],
  [[50], 50, [100]],
];

const groupsOf = (healthy: readonly number[]) => healthy.map((percent) => ({ total: 100, healthy: percent }));

describe("the shares of priorities", () => {
  for (const [healthy, threshold, percents, panic = []] of CASES)
    it(`with ${healthy.join(" % and ")} % healthy and a threshold of ${threshold} % are ${percents.join(" and ")}`, () => {
      const loads = priorityLoads(groupsOf(healthy), threshold);
      assert.deepEqual(
        loads.map(({ share }) => Math.round(share * 100)),
        percents,
      );
      assert.deepEqual(
        loads.flatMap((load, index) => (load.panic ? [index] : [])),
        panic,
      );
    });

  it("are by numbers of endpoints when all are in panic", () => {
    const loads = priorityLoads(
      [
        { total: 30, healthy: 0 },
        { total: 10, healthy: 1 },
      ],
      50,
    );
    assert.deepEqual(loads, [
      { share: 0.75, panic: true },
      { share: 0.25, panic: true },
    ]);
  });

  it("of no endpoints are all of the first", () => {
    assert.deepEqual(priorityLoads([{ total: 0, healthy: 0 }], 50), [{ share: 1, panic: false }]);
  });

  it("sum to 1, and more healthy endpoints of a priority never lower its share", () => {
    const group = fc
      .record({ total: fc.integer({ min: 1, max: 50 }), part: fc.double({ min: 0, max: 1, noNaN: true }) })
      .map(({ total, part }) => ({ total, healthy: Math.round(total * part) }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 5 }), fc.nat(100), (groups, threshold) => {
        const loads = priorityLoads(groups, threshold);
        const sum = loads.reduce((total, { share }) => total + share, 0);
        assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
        assert.ok(loads.every(({ share }) => share >= 0));
        const better = groups.map((each, index) =>
          index === 0 && each.healthy < each.total ? { ...each, healthy: each.healthy + 1 } : each,
        );
        const [before] = priorityLoads(groups, 0);
        const [after] = priorityLoads(better, 0);
        if (groups.some(({ healthy }) => healthy > 0))
          assert.ok((after?.share ?? 0) >= (before?.share ?? 0) - 1e-9);
      }),
    );
  });
});
