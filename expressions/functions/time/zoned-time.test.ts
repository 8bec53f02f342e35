// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { ZONE_FUNCTIONS } from "./zoned-time.ts";

const [inZone, between] = ZONE_FUNCTIONS.map(({ implementation }) => implementation) as unknown as [
  (time: number | string, zone: string) => Record<string, unknown> | undefined,
  (time: number | string, zone: string, from: string, to: string) => boolean | undefined,
];

describe("$inZone", () => {
  it("agrees with Date's calendar in UTC", () => {
    const time = fc.integer({
      min: Date.parse("0001-01-01T00:00:00Z"),
      max: Date.parse("9999-12-31T23:59:59.999Z"),
    });
    fc.assert(
      fc.property(time, (timeMs) => {
        const date = new Date(timeMs);
        const text = date.toISOString();
        assert.deepEqual(inZone(timeMs, "UTC"), {
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
          weekday: date.getUTCDay() === 0 ? 7 : date.getUTCDay(),
          weekdayName: date.toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" }),
          hour: date.getUTCHours(),
          minute: date.getUTCMinutes(),
          second: date.getUTCSeconds(),
          date: text.slice(0, 10),
          time: text.slice(11, 16),
        });
      }),
    );
  });

  it("follows daylight saving time, and zones with offsets of part of an hour", () => {
    // The clocks of Berlin went from 02:00 to 03:00 at 01:00 UTC on 29 March 2026, and back on 25 October.
    assert.equal(inZone("2026-03-29T00:59:59Z", "Europe/Berlin")?.["time"], "01:59");
    assert.equal(inZone("2026-03-29T01:00:00Z", "Europe/Berlin")?.["time"], "03:00");
    assert.equal(inZone("2026-10-25T00:30:00Z", "Europe/Berlin")?.["time"], "02:30");
    assert.equal(inZone("2026-10-25T01:30:00Z", "Europe/Berlin")?.["time"], "02:30");
    assert.equal(inZone("2026-01-01T00:00:00Z", "Asia/Kathmandu")?.["time"], "05:45");
    assert.equal(inZone("2026-01-01T11:00:00Z", "Pacific/Kiritimati")?.["date"], "2026-01-02");
    // Midnight is 00, not 24.
    assert.equal(inZone("2026-01-01T00:00:00Z", "UTC")?.["hour"], 0);
  });

  it("distinguishes seconds, also before 1970", () => {
    for (const timeMs of [0, 999, 1000, -1, -1000, -1001, 999])
      assert.equal(inZone(timeMs, "UTC")?.["second"], new Date(timeMs).getUTCSeconds());
  });

  it("gives no value for a malformed time", () => {
    for (const time of ["", "yesterday", Number.NaN]) assert.equal(inZone(time, "UTC"), undefined);
  });

  it("refuses an unknown zone, for any time", () => {
    for (const zone of ["", "Mars/Olympus", "+01:00", "Europe/Berlin ", "1"])
      for (const time of [0, "yesterday"]) assert.throws(() => inZone(time, zone), { code: "D4004" }, zone);
  });

  it("works for more zones than its cache holds", () => {
    const zones = Intl.supportedValuesOf("timeZone").slice(0, 150);
    assert.ok(zones.length > 100);
    for (const zone of [...zones, ...zones])
      assert.equal(
        inZone(1_780_000_000_000, zone)?.["time"],
        new Date(1_780_000_000_000).toLocaleTimeString("en-GB", { timeZone: zone, timeStyle: "short" }),
      );
  });
});

describe("$timeBetween", () => {
  const at = (time: string, from: string, to: string): boolean | undefined =>
    between(`2026-01-05T${time}Z`, "UTC", from, to);

  it("includes the start and excludes the end", () => {
    assert.equal(at("08:59:59", "09:00", "17:00"), false);
    assert.equal(at("09:00:00", "09:00", "17:00"), true);
    assert.equal(at("16:59:59.999", "09:00", "17:00"), true);
    assert.equal(at("17:00:00", "09:00", "17:00"), false);
  });

  it("spans midnight, and its reverse is the rest of the day", () => {
    const time = fc.integer({ min: 0, max: 1439 }).map((minutes) => {
      const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
      return `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
    });
    fc.assert(
      fc.property(time, time, time, (now, from, to) => {
        fc.pre(from !== to);
        const expected = from < to ? from <= now && now < to : now >= from || now < to;
        assert.equal(at(`${now}:30`, from, to), expected);
        assert.equal(at(`${now}:30`, to, from), !expected);
      }),
    );
  });

  it("has a whole day from 00:00 to 24:00", () => {
    for (const time of ["00:00:00", "23:59:59"]) assert.equal(at(time, "00:00", "24:00"), true);
    assert.equal(at("23:59:59", "23:00", "24:00"), true);
  });

  it("refuses malformed times of day, and an empty interval", () => {
    for (const [from, to] of [
      ["9:00", "17:00"],
      ["09:00", "25:00"],
      ["09:00", "24:01"],
      ["09:60", "17:00"],
      ["", "17:00"],
      ["09:00:00", "17:00"],
      ["09:00", "09:00"],
    ] as const)
      assert.throws(() => at("10:00:00", from, to), { code: "D4005" }, `${from} ${to}`);
    assert.throws(() => between("yesterday", "UTC", "9", "17"), { code: "D4005" });
    assert.throws(() => between(0, "Nowhere", "09:00", "17:00"), { code: "D4004" });
  });

  it("gives no value for a malformed time", () => {
    assert.equal(between("yesterday", "UTC", "09:00", "17:00"), undefined);
  });
});
