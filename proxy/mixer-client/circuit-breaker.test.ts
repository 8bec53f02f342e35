// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { CircuitBreaker, type Ticket } from "./circuit-breaker.ts";

function createBreaker(random = () => 1) {
  const time = createVirtualTime();
  const breaker = new CircuitBreaker({ clock: time.clock, random, failures: 3, openMs: 200 });
  const fail = () => breaker.end(breaker.begin() as Ticket, false);
  return { time, breaker, fail };
}

describe("a circuit breaker", () => {
  it("opens after failures in a row, not after as many among successes", () => {
    const { breaker, fail } = createBreaker();
    for (let round = 0; round < 5; round++) {
      fail();
      fail();
      breaker.end(breaker.begin() as Ticket, true);
    }
    assert.equal(breaker.state, "closed");
    for (let count = 0; count < 3; count++) fail();
    assert.equal(breaker.state, "open");
    assert.equal(breaker.begin(), undefined);
  });

  it("lets one call find out, and closes when it succeeds", () => {
    const { time, breaker, fail } = createBreaker();
    for (let count = 0; count < 3; count++) fail();
    time.advance(200);
    const probe = breaker.begin() as Ticket;
    assert.equal(breaker.state, "half-open");
    assert.equal(breaker.begin(), undefined, "one is enough");
    breaker.end(probe, true);
    assert.equal(breaker.state, "closed");
    fail();
    assert.equal(breaker.state, "closed", "earlier failures are forgotten");
  });

  it("opens again for as long when that call fails", () => {
    const { time, breaker, fail } = createBreaker();
    for (let count = 0; count < 3; count++) fail();
    time.advance(200);
    fail();
    time.advance(199);
    assert.equal(breaker.begin(), undefined);
    time.advance(1);
    assert.notEqual(breaker.begin(), undefined);
  });

  it("is not moved by calls that began before its state changed", () => {
    const { time, breaker, fail } = createBreaker();
    const slow = breaker.begin() as Ticket;
    for (let count = 0; count < 3; count++) fail();
    breaker.end(slow, true);
    assert.equal(breaker.state, "open");
    time.advance(200);
    breaker.begin();
    breaker.end(slow, false);
    assert.equal(breaker.state, "half-open");
  });

  it("stays open for half of its time at least, by chance, so that proxies do not all try at once", () => {
    const { time, breaker, fail } = createBreaker(() => 0);
    for (let count = 0; count < 3; count++) fail();
    time.advance(99);
    assert.equal(breaker.begin(), undefined);
    time.advance(1);
    assert.notEqual(breaker.begin(), undefined);
  });
});
