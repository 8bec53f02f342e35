// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime, type VirtualTime } from "../plugins/sdk/testing/time.ts";
import { CircuitBreaker, type Ticket } from "./circuit-breaker.ts";

describe("a circuit breaker", () => {
  let time: VirtualTime;
  let breaker: CircuitBreaker;

  const begin = (): Ticket => {
    const ticket = breaker.begin();
    assert.ok(ticket !== undefined);
    return ticket;
  };
  const failOften = () => {
    for (let failure = 0; failure < 3; failure++) breaker.end(begin(), false);
  };

  beforeEach(() => {
    time = createVirtualTime();
    breaker = new CircuitBreaker({ clock: time.clock, random: () => 0.5, failures: 3, openMs: 1_000 });
  });

  it("opens after the set number of consecutive failures, which a success resets", () => {
    breaker.end(begin(), false);
    breaker.end(begin(), false);
    breaker.end(begin(), true);
    breaker.end(begin(), false);
    breaker.end(begin(), false);
    assert.equal(breaker.state, "closed");
    breaker.end(begin(), false);
    assert.equal(breaker.state, "open");
    assert.equal(breaker.begin(), undefined);
  });

  it("half-opens after a while: the result of one call decides", () => {
    failOften();
    time.advance(749);
    assert.equal(breaker.begin(), undefined);
    time.advance(1);
    const probe = begin();
    assert.equal(breaker.begin(), undefined);
    breaker.end(probe, false);
    assert.equal(breaker.begin(), undefined);
    time.advance(750);
    breaker.end(begin(), true);
    assert.equal(breaker.state, "closed");
  });

  it("tells the time until a call may probe the peer", () => {
    assert.equal(breaker.waitMs, 0);
    failOften();
    assert.equal(breaker.waitMs, 750);
    time.advance(749);
    assert.equal(breaker.waitMs, 1);
    time.advance(2);
    assert.equal(breaker.waitMs, 0);
    begin();
    assert.equal(breaker.waitMs, 0);
  });

  it("stays open for a random time of at least half of openMs", () => {
    for (const [random, openMs] of [
      [0, 500],
      [0.999, 999.5],
    ] as const) {
      breaker = new CircuitBreaker({ clock: time.clock, random: () => random, failures: 3, openMs: 1_000 });
      failOften();
      assert.equal(breaker.waitMs, openMs);
    }
  });

  it("ignores results of calls that began before it opened", () => {
    const slow = begin();
    failOften();
    breaker.end(slow, true);
    assert.equal(breaker.state, "open");
    time.advance(750);
    const probe = begin();
    breaker.end(slow, false);
    assert.equal(breaker.state, "half-open");
    breaker.end(probe, true);
    assert.equal(breaker.state, "closed");
  });
});
