// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { periodBoundsAt } from "./calendar.ts";
import { PERIOD_LENGTHS, type PeriodRule, WEEKDAYS } from "./period-rule.ts";
import { isTimeZone } from "./zone-clock.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Zones with half hours and quarters, changes at midnight, skipped dates, and changes that cross midnight. */
const ODD_ZONES = [
  "Europe/Zurich",
  "America/Sao_Paulo",
  "America/Havana",
  "America/St_Johns",
  "America/Asuncion",
  "Asia/Beirut",
  "Asia/Tehran",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Asia/Gaza",
  "Africa/Cairo",
  "Africa/Monrovia",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kwajalein",
  "Pacific/Chatham",
  "Antarctica/Troll",
  "Antarctica/Casey",
];

const ZONE = fc.oneof(fc.constantFrom(...ODD_ZONES), fc.constantFrom(...Intl.supportedValuesOf("timeZone")));

const RULE: fc.Arbitrary<PeriodRule> = fc
  .record({
    every: fc.constantFrom(...PERIOD_LENGTHS),
    timeZone: ZONE,
    startsOn: fc.constantFrom(...WEEKDAYS),
    dayOfMonth: fc.integer({ min: 1, max: 31 }),
  })
  .map(({ every, timeZone, startsOn, dayOfMonth }) => {
    if (every === "week") return { every, timeZone, startsOn };
    return every === "month" ? { every, timeZone, dayOfMonth } : { every, timeZone };
  });

const NOW_MS = fc.integer({ min: Date.UTC(1971, 0, 1), max: Date.UTC(2060, 0, 1) });

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The local date at an instant, such as 2026-03-29: a date as Swedes write it, by the runtime itself. */
function dateAt(timeZone: string, instantMs: number): string {
  let format = FORMATS.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" });
    FORMATS.set(timeZone, format);
  }
  return format.format(instantMs);
}

/** Whether a period begins on a local date, written as 2026-03-29. */
function beginsOn({ every, startsOn, dayOfMonth = 1 }: PeriodRule, date: string): boolean {
  const noon = new Date(`${date}T12:00:00Z`);
  if (every === "day") return true;
  if (every === "week") return WEEKDAYS[(noon.getUTCDay() + 6) % 7] === startsOn;
  const tomorrow = new Date(noon.getTime() + 24 * HOUR_MS);
  const last = tomorrow.getUTCDate() === 1;
  return noon.getUTCDate() === dayOfMonth || (last && noon.getUTCDate() < dayOfMonth);
}

/** Minutes in which the local date is later than in every minute before, where a period begins: by search. */
function beginningsBetween(rule: PeriodRule, fromMs: number, toMs: number): readonly number[] {
  const beginnings: number[] = [];
  let latest = dateAt(rule.timeZone, fromMs - HOUR_MS);
  for (let hourMs = fromMs; hourMs <= toMs; hourMs += HOUR_MS / 2) {
    if (dateAt(rule.timeZone, hourMs) <= latest) {
      // A clock that crosses midnight twice within half an hour shows the later date only in between.
      const shown = [1, 2, 3, 4, 5].some(
        (step) => dateAt(rule.timeZone, hourMs - step * 5 * MINUTE_MS) > latest,
      );
      if (!shown) continue;
    }
    for (let atMs = hourMs - HOUR_MS / 2; atMs <= hourMs; atMs += 30_000) {
      const date = dateAt(rule.timeZone, atMs);
      if (date <= latest) continue;
      if (crossesABeginning(rule, latest, date)) beginnings.push(atMs);
      latest = date;
    }
  }
  return beginnings;
}

/** Whether a period begins after one date and up to another: several dates where the zone skips some. */
function crossesABeginning(rule: PeriodRule, before: string, date: string): boolean {
  for (
    let ms = Date.parse(`${before}T12:00Z`) + 24 * HOUR_MS;
    ms <= Date.parse(`${date}T12:00Z`);
    ms += 24 * HOUR_MS
  )
    if (beginsOn(rule, new Date(ms).toISOString().slice(0, 10))) return true;
  return false;
}

const RUNS = Number(process.env["CALENDAR_RUNS"] ?? 100);

describe("calendar periods", () => {
  it("begin where the local date changes to a first day, in every zone", () => {
    fc.assert(
      fc.property(RULE, NOW_MS, (rule, nowMs) => {
        const { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs } = periodBoundsAt(
          rule,
          nowMs,
        );
        assert.ok(periodStartMs <= nowMs && nowMs < periodEndMs);
        // Zones have had offsets in whole minutes since 1972; Liberia's change was in that year.
        const fromMs = Math.floor(previousPeriodStartMs / HOUR_MS) * HOUR_MS - 30 * HOUR_MS;
        const found = beginningsBetween(rule, fromMs, nextPeriodEndMs + HOUR_MS);
        const expected = found.slice(found.findLastIndex((atMs) => atMs <= nowMs) - 1).slice(0, 4);
        assert.deepEqual([previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs], expected);
      }),
      { numRuns: RUNS },
    );
  }).timeout(60_000);

  it("follow each other without a gap, whichever instant asks", () => {
    fc.assert(
      fc.property(RULE, NOW_MS, (rule, nowMs) => {
        const bounds = periodBoundsAt(rule, nowMs);
        const next = periodBoundsAt(rule, bounds.periodEndMs);
        const previous = periodBoundsAt(rule, bounds.periodStartMs - 1);
        assert.deepEqual(
          [next.previousPeriodStartMs, next.periodStartMs, next.periodEndMs],
          [bounds.periodStartMs, bounds.periodEndMs, bounds.nextPeriodEndMs],
        );
        assert.deepEqual(
          [previous.periodStartMs, previous.periodEndMs, previous.nextPeriodEndMs],
          [bounds.previousPeriodStartMs, bounds.periodStartMs, bounds.periodEndMs],
        );
        assert.deepEqual(periodBoundsAt(rule, bounds.periodEndMs - 1), bounds);
      }),
      { numRuns: 1_000 },
    );
  });

  const hours = (timeZone: string, day: string) => {
    const { periodStartMs, periodEndMs } = periodBoundsAt({ every: "day", timeZone }, Date.parse(day));
    return [new Date(periodStartMs).toISOString(), (periodEndMs - periodStartMs) / HOUR_MS];
  };

  it("have 23 and 25 hours on the days of a change", () => {
    assert.deepEqual(hours("Europe/Zurich", "2026-03-29T12:00Z"), ["2026-03-28T23:00:00.000Z", 23]);
    assert.deepEqual(hours("Europe/Zurich", "2026-10-25T12:00Z"), ["2026-10-24T22:00:00.000Z", 25]);
    assert.deepEqual(hours("Australia/Lord_Howe", "2026-10-04T06:00Z"), ["2026-10-03T13:30:00.000Z", 23.5]);
  });

  it("begin an hour late where the clock skips midnight", () => {
    assert.deepEqual(hours("America/Sao_Paulo", "2018-11-04T12:00Z"), ["2018-11-04T03:00:00.000Z", 23]);
  });

  it("begin with the first of two midnights", () => {
    assert.deepEqual(hours("America/Havana", "2026-11-01T12:00Z"), ["2026-11-01T04:00:00.000Z", 25]);
    // At one minute past midnight, Newfoundland went back into the day before.
    assert.deepEqual(hours("America/St_Johns", "2010-11-07T03:00Z"), ["2010-11-07T02:30:00.000Z", 25]);
  });

  it("pass over a date that the zone skipped", () => {
    assert.deepEqual(hours("Pacific/Apia", "2011-12-30T09:00Z"), ["2011-12-29T10:00:00.000Z", 24]);
    assert.deepEqual(hours("Pacific/Apia", "2011-12-30T11:00Z"), ["2011-12-30T10:00:00.000Z", 24]);
  });

  it("begin on the last day of months without the day", () => {
    const rule = { every: "month", timeZone: "UTC", dayOfMonth: 31 } as const;
    const { periodStartMs, periodEndMs } = periodBoundsAt(rule, Date.parse("2028-02-10T00:00Z"));
    assert.equal(new Date(periodStartMs).toISOString(), "2028-01-31T00:00:00.000Z");
    assert.equal(new Date(periodEndMs).toISOString(), "2028-02-29T00:00:00.000Z");
  });

  it("know the zones of the runtime alone", () => {
    for (const zone of [...ODD_ZONES, "UTC", "Etc/GMT+5", "us/eastern"]) assert.ok(isTimeZone(zone), zone);
    for (const zone of ["+01:00", "Europe/Nowhere", "", "Mars"]) assert.ok(!isTimeZone(zone), zone);
  });
});
