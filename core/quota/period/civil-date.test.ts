// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { DAY_MS, dayOf, firstDayOf, monthOf, weekdayOf } from "./civil-date.ts";

describe("civil dates", () => {
  it("agree with the runtime's calendar for 800 years", () => {
    for (let month = 0; month < 12 * 800; month++)
      assert.equal(firstDayOf(month), Date.UTC(1970, month, 1) / DAY_MS);
    for (let day = 0; day < 366 * 800; day++) {
      const date = new Date(day * DAY_MS);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      assert.equal(monthOf(day), (year - 1970) * 12 + month);
      assert.equal(dayOf(year, month + 1, date.getUTCDate()), day);
      assert.equal(weekdayOf(day), (date.getUTCDay() + 6) % 7);
    }
  });
});
