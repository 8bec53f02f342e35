// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { periodBoundsAt } from "../period/calendar.ts";
import { calendarPeriod, type CalendarPeriodState } from "./calendar-period.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RULE = { every: "day", timeZone: "Europe/Zurich" } as const;
/** The clock goes forward at 01:00 UTC: this day has 23 hours. */
const SHORT_DAY = Date.parse("2026-03-28T23:00:00Z");

describe("calendar-period arithmetic", () => {
  let state: CalendarPeriodState;
  /** @param aheadMs The caller's clock less the store's. */
  const charge = (amount: number, nowMs: number, aheadMs = 0, slot?: number) =>
    calendarPeriod.charge(
      state,
      {
        limit: 10,
        windowMs: DAY_MS,
        period: periodBoundsAt(RULE, nowMs + aheadMs),
        amount,
        bestEffort: false,
        leaseMs: 5_000,
        ...(slot === undefined ? {} : { slot }),
      },
      nowMs,
    );

  beforeEach(() => {
    state = calendarPeriod.create(SHORT_DAY);
  });

  it("counts to the period's end and starts at 0 with the next one", () => {
    const grant = charge(10, SHORT_DAY);
    assert.deepEqual([grant.granted, grant.resetMs, grant.validForMs], [10, 23 * HOUR_MS, 5_000]);
    const refused = charge(1, SHORT_DAY + 23 * HOUR_MS - 1);
    assert.deepEqual([refused.granted, refused.retryAfterMs], [0, 1]);
    assert.equal(charge(10, SHORT_DAY + 23 * HOUR_MS).granted, 10);
  });

  it("ends leases with the period", () => {
    assert.equal(charge(1, SHORT_DAY + 23 * HOUR_MS - 1_000).validForMs, 999);
    assert.equal(charge(1, SHORT_DAY + 23 * HOUR_MS - 1).validForMs, 0);
  });

  it("takes nothing back into a period that is over", () => {
    const { slot } = charge(10, SHORT_DAY);
    charge(4, SHORT_DAY + DAY_MS);
    const back = charge(-10, SHORT_DAY + DAY_MS, 0, slot);
    assert.deepEqual([back.granted, back.remaining], [0, 6]);
  });

  it("decides by the store's clock, whichever of three periods the caller's clock is in", () => {
    for (const aheadMs of [-20 * HOUR_MS, -HOUR_MS, 0, HOUR_MS, 20 * HOUR_MS]) {
      state = calendarPeriod.create(SHORT_DAY);
      assert.equal(charge(6, SHORT_DAY + 12 * HOUR_MS, aheadMs).resetMs, 11 * HOUR_MS);
      assert.equal(charge(6, SHORT_DAY + 23 * HOUR_MS - 1, -aheadMs).granted, 0);
      assert.equal(charge(6, SHORT_DAY + 23 * HOUR_MS, aheadMs).granted, 6);
    }
  });

  it("counts in the nearest period when the clocks are days apart", () => {
    for (const aheadMs of [-9 * DAY_MS, 9 * DAY_MS]) {
      state = calendarPeriod.create(SHORT_DAY);
      const grant = charge(6, SHORT_DAY + 12 * HOUR_MS, aheadMs);
      assert.deepEqual([grant.granted, grant.resetMs], [6, DAY_MS]);
      assert.equal(charge(6, SHORT_DAY + 13 * HOUR_MS, aheadMs).granted, 0);
      assert.equal(charge(6, SHORT_DAY + 36 * HOUR_MS, aheadMs).granted, 6, "the next day");
    }
  });

  it("keeps the count when the clock steps back over a boundary and forward again", () => {
    assert.equal(charge(10, SHORT_DAY + 23 * HOUR_MS).granted, 10);
    assert.equal(charge(1, SHORT_DAY + 22 * HOUR_MS).granted, 0);
    assert.equal(charge(1, SHORT_DAY + 24 * HOUR_MS).granted, 0);
  });
});
