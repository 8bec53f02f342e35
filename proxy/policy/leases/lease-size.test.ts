// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isLow, isWorthALease, largestLease, leaseTarget, leaseTimeMs } from "./lease-size.ts";

const NEED = { limit: 10_000, proxies: 4, remaining: 10_000, demandPerS: 1_000, leaseMs: 100 };

describe("the size of a lease", () => {
  it("is the likely use within it", () => {
    assert.equal(leaseTarget(NEED), 100);
    assert.equal(leaseTarget({ ...NEED, demandPerS: 1_001 }), 101);
  });

  it("is at most 1/20 of the limit, and at most half of it for all proxies together", () => {
    assert.equal(leaseTarget({ ...NEED, demandPerS: 1e9 }), 500);
    assert.equal(leaseTarget({ ...NEED, demandPerS: 1e9, proxies: 100 }), 50);
    for (const proxies of [10, 11, 1_000]) assert.equal(proxies * largestLease(10_000, proxies), 5_000);
  });

  it("shrinks with the remainder", () => {
    assert.equal(leaseTarget({ ...NEED, remaining: 80 }), 10);
    assert.equal(leaseTarget({ ...NEED, remaining: 7 }), 0);
  });

  it("must be worth a call", () => {
    assert.deepEqual([isWorthALease(1), isWorthALease(2)], [false, true]);
    assert.deepEqual([isLow(49, 100), isLow(50, 100)], [true, false]);
  });
});

describe("the time of a lease", () => {
  const charge = { limit: 1_000, leaseMs: 100 };

  it("is the charge's own while a quarter of the limit is left, and then in proportion to the remainder", () => {
    assert.equal(leaseTimeMs(charge, Number.POSITIVE_INFINITY, 4), 100);
    assert.equal(leaseTimeMs(charge, 250, 4), 100);
    assert.equal(leaseTimeMs(charge, 125, 4), 50);
  });

  it("is 0 when a grant would not arrive in time", () => {
    assert.equal(leaseTimeMs(charge, 1_000, 404), 0);
    assert.equal(leaseTimeMs(charge, 4, 0), 0);
    assert.equal(leaseTimeMs(charge, 5, 0), 2);
  });
});
