// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { dayOf } from "./iso-time.ts";
import { timeMsOf } from "./time-ms.ts";

describe("a time", () => {
  it("is read from ISO 8601 as Date reads it", () => {
    const time = fc.integer({
      min: Date.parse("0001-01-01T00:00:00Z"),
      max: Date.parse("9999-12-31T23:59:59.999Z"),
    });
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(time, offset, (timeMs, minutes) => {
        const text = new Date(timeMs).toISOString();
        assert.equal(timeMsOf(text), timeMs);
        assert.equal(timeMsOf(timeMs), timeMs);
        assert.equal(timeMsOf(text.slice(0, 10)), Date.parse(text.slice(0, 10)));
        const size = Math.abs(minutes);
        const zone = `${minutes < 0 ? "-" : "+"}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
        const zoned = text.replace("Z", zone);
        const expected = Date.parse(zoned);
        const isInRange = expected >= -62_135_596_800_000 && expected <= 253_402_300_799_999;
        assert.equal(timeMsOf(zoned), isInRange ? expected : undefined, zoned);
      }),
      { numRuns: 1000 },
    );
  });

  it("counts days as Date does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), (year, month) => {
        const first = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-01`;
        assert.equal(dayOf(year, month, 1), Date.parse(first) / 86_400_000);
      }),
    );
  });

  it("may leave out seconds, and have more digits than milliseconds", () => {
    assert.equal(timeMsOf("1970-01-01T00:01Z"), 60_000);
    assert.equal(timeMsOf("1970-01-01T00:00:00.1Z"), 100);
    assert.equal(timeMsOf("1970-01-01T00:00:00.123456789Z"), 123);
    assert.equal(timeMsOf("1970-01-01t01:00:00+0100"), 0);
    assert.equal(timeMsOf(1.9), 1);
  });

  it("has no value when it is malformed, or of no zone", () => {
    const texts = [
      "",
      "now",
      "2026",
      "2026-02-29",
      "2024-02-30",
      "1900-02-29",
      "2026-04-31",
      "2026-13-01",
      "2026-00-01",
      "2026-01-00",
      "2026-01-01T00:00:00",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "2026-01-01T00:00:60Z",
      "2026-01-01T00:00:00+24:00",
      "2026-01-01T00:00:00+00:60",
      "2026-01-01T00:00:00Z ",
      "0000-01-01T00:00:00Z",
      "+002026-01-01T00:00:00Z",
    ];
    for (const text of texts) assert.equal(timeMsOf(text), undefined, text);
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, -1e300])
      assert.equal(timeMsOf(number), undefined);
  });
});
