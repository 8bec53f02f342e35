// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  ALLOCATION_IDLE_MS,
  ALLOCATION_RETRY_MS,
  ALLOCATION_TOUCH_MS,
  allocation,
  type AllocationState,
} from "./allocation.ts";

const NOW_MS = 1_767_225_600_123;

describe("allocation arithmetic", () => {
  let state: AllocationState;
  const charge = (amount: number, nowMs: number, slot?: number) =>
    allocation.charge(
      state,
      {
        limit: 3,
        windowMs: 0,
        amount,
        bestEffort: false,
        leaseMs: 40,
        ...(slot === undefined ? {} : { slot }),
      },
      nowMs,
    );

  beforeEach(() => {
    state = allocation.create(NOW_MS);
  });

  it("keeps what is taken, for any time in which somebody asks", () => {
    assert.equal(charge(3, NOW_MS).granted, 3);
    for (let day = 1; day < 400; day++) {
      const { granted, retryAfterMs } = charge(1, NOW_MS + day * ALLOCATION_TOUCH_MS);
      assert.deepEqual([granted, retryAfterMs], [0, ALLOCATION_RETRY_MS]);
    }
  });

  it("takes back what is given back, and no more, however late", () => {
    const { slot, validForMs } = charge(3, NOW_MS);
    assert.equal(validForMs, 40);
    const laterMs = NOW_MS + ALLOCATION_IDLE_MS - 1;
    assert.deepEqual(charge(-2, laterMs, slot).granted, -2);
    assert.deepEqual(charge(-2, laterMs, slot).granted, -1);
    const { remaining, resetMs } = charge(0, laterMs);
    assert.deepEqual([remaining, resetMs], [3, 0]);
  });

  it("forgets a count that nobody asks for, and then takes nothing back of it", () => {
    const { slot, resetMs } = charge(3, NOW_MS);
    assert.equal(resetMs, ALLOCATION_IDLE_MS);
    const laterMs = NOW_MS + ALLOCATION_IDLE_MS;
    assert.equal(charge(2, laterMs).granted, 2);
    const back = charge(-3, laterMs, slot);
    assert.deepEqual([back.granted, back.remaining], [0, 1]);
  });

  it("prolongs a count's life by a question at most once a day, to spare writes", () => {
    charge(3, NOW_MS);
    charge(0, NOW_MS + ALLOCATION_TOUCH_MS - 1);
    assert.equal(state.touchedMs, NOW_MS);
    charge(0, NOW_MS + ALLOCATION_TOUCH_MS);
    assert.equal(state.touchedMs, NOW_MS + ALLOCATION_TOUCH_MS);
    charge(1, NOW_MS - 1);
    assert.equal(state.touchedMs, NOW_MS - 1, "a clock that went back does not prolong it");
  });
});
