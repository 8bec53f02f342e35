// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { TicketKeys } from "./ticket-keys.ts";

const DAY_MS = 24 * 3_600_000;

describe("the keys of session tickets", () => {
  it("are the same in every process that has the secret, whenever each asks for them", () => {
    const hours = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(hours, fc.boolean(), (steps, asksEachTime) => {
        const clock = { ms: 1e12, nowMs: () => clock.ms };
        const pool = new TicketKeys(clock);
        const worker = new TicketKeys(clock, pool.state());
        for (const step of steps) {
          clock.ms += step * 3_600_000;
          if (asksEachTime) worker.current();
        }
        const late = new TicketKeys(clock, pool.state());
        assert.deepEqual(worker.current(), pool.current());
        assert.deepEqual(late.current(), pool.current());
        assert.equal(pool.current().length, 48);
      }),
    );
  });

  it("change every day, and not when the clock is set back", () => {
    const clock = { ms: 1e12, nowMs: () => clock.ms };
    const keys = new TicketKeys(clock);
    const first = keys.current();
    assert.equal(keys.current(), first);
    clock.ms += DAY_MS;
    const second = keys.current();
    assert.notDeepEqual(second, first);
    clock.ms -= 30 * DAY_MS;
    assert.equal(keys.current(), second);
    clock.ms += 1_000_000 * DAY_MS;
    assert.notDeepEqual(keys.current(), second);
  });

  it("are random without a secret", () => {
    const clock = { nowMs: () => 1e12 };
    assert.notDeepEqual(new TicketKeys(clock).current(), new TicketKeys(clock).current());
  });
});
