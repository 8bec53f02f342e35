// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { QUOTA_ALGORITHMS } from "../../core/quota/quota-definition.ts";
import { quotaPolicy } from "../../test/support/snapshots.ts";
import { ChargeLog } from "./charge-log.ts";
import { LimitSearch } from "./limit-search.ts";

const BOUNDS = { maxCharges: 10_000, maxKeys: 1_000 };

describe("the search for a limit", () => {
  it("finds the smallest limit, by each algorithm", () => {
    const charges = fc.array(fc.record({ afterMs: fc.nat(500), cell: fc.constantFrom("a", "b", "c") }), {
      minLength: 1,
      maxLength: 60,
    });
    const share = fc.constantFrom(0, 0.01, 0.1, 0.5);
    const of = fc.constantFrom("requests" as const, "keys" as const);
    fc.assert(
      fc.property(
        charges,
        fc.constantFrom(...QUOTA_ALGORITHMS),
        share,
        of,
        (drawn, algorithm, target, part) => {
          const log = new ChargeLog(BOUNDS);
          let timeMs = 0;
          for (const { afterMs, cell } of drawn) log.add({ cell, amount: 1 }, (timeMs += afterMs), 1);
          const search = new LimitSearch(log, quotaPolicy("p", { algorithm, windowMs: 1_000 }));
          const limit = search.smallest(target, part);
          assert.ok(search.shares(limit)[part] <= target);
          for (let smaller = 1; smaller < limit; smaller++) assert.ok(search.shares(smaller)[part] > target);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("gives the largest limit when one charge exceeds it", () => {
    const log = new ChargeLog(BOUNDS);
    log.add({ cell: "a", amount: 2_000_000_000 }, 0, 1);
    const search = new LimitSearch(log, quotaPolicy("p"));
    assert.equal(search.smallest(0, "requests"), 1_000_000_000);
  });

  it("keeps the charges in their order beyond the first room", () => {
    const log = new ChargeLog(BOUNDS);
    for (let index = 0; index < 3_000; index++) log.add({ cell: `k${index % 7}`, amount: index }, index, 0.5);
    assert.deepEqual([log.size, log.keys], [3_000, 7]);
    const last = [...log.charges()].at(-1);
    assert.deepEqual(last, { cell: `k${2_999 % 7}`, amount: 2_999, timeMs: 2_999, weight: 0.5 });
  });
});
