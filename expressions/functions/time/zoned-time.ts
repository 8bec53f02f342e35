// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { cached } from "../patterns/compiled-cache.ts";
import { functionError, quoted } from "../error-codes.ts";
import type { FunctionDefinition } from "../definition.ts";
import { dayOf } from "./iso-time.ts";
import { timeMsOf } from "./time-ms.ts";

/** Most formatters that are cached: they are large, and of some 600 zones few are in use. */
const MAX_ZONES = 64;
const DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

type Time = number | string | undefined;
type Text = string | undefined;

type Part = "year" | "month" | "day" | "hour" | "minute" | "second";
type Parts = Readonly<Record<Part, number>>;

/** The parts of a time by the calendar and the clock of a zone. */
type Zone = (timeMs: number) => Parts;

const zoneOf = cached((zone): Zone => {
  try {
    // Offsets such as +01:00 are zones to some engines and none to others.
    if (/^[a-z]/i.test(zone)) return createZone(createFormatter(zone));
  } catch {
    // An unknown zone is refused below.
  }
  throw functionError("D4004", `${quoted(zone)} is no time zone: write one such as Europe/Berlin, or UTC`);
}, MAX_ZONES);

function createFormatter(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
}

/** Remembers the last second: formatting takes microseconds, and requests of one second ask for one time. */
function createZone(formatter: Intl.DateTimeFormat): Zone {
  let lastSecond = Number.NaN;
  let lastParts: Parts | undefined;
  return (timeMs) => {
    const second = Math.floor(timeMs / 1000);
    if (lastParts === undefined || second !== lastSecond) {
      const parts: Record<string, number> = {};
      for (const { type, value } of formatter.formatToParts(second * 1000)) parts[type] = Number(value);
      lastParts = parts as Parts;
      lastSecond = second;
    }
    return lastParts;
  };
}

function inZone(time: Time, zone: Text): Readonly<Record<string, unknown>> | undefined {
  return zone === undefined ? undefined : timeIn(zoneOf(zone), time);
}

function timeIn(partsAt: Zone, time: Time): Readonly<Record<string, unknown>> | undefined {
  const timeMs = time === undefined ? undefined : timeMsOf(time);
  if (timeMs === undefined) return undefined;
  const { year, month, day, hour, minute, second } = partsAt(timeMs);
  // The first of January 1970 was a Thursday.
  const weekday = ((((dayOf(year, month, day) + 3) % 7) + 7) % 7) + 1;
  return {
    year,
    month,
    day,
    weekday,
    weekdayName: DAY_NAMES[weekday - 1],
    hour,
    minute,
    second,
    date: `${String(year).padStart(4, "0")}-${twoDigits(month)}-${twoDigits(day)}`,
    time: `${twoDigits(hour)}:${twoDigits(minute)}`,
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function timeBetween(time: Time, zone: Text, from: Text, to: Text): boolean | undefined {
  if (zone === undefined || from === undefined || to === undefined) return undefined;
  return spanOf(zone, from, to)(time);
}

function spanOf(zone: string, from: string, to: string): (time: Time) => boolean | undefined {
  const partsAt = zoneOf(zone);
  const [first, end] = [minutesOf(from), minutesOf(to)];
  if (first === end)
    throw functionError(
      "D4005",
      `$timeBetween: from ${from} to ${to} is nothing, or everything: 00:00 to 24:00`,
    );
  return (time) => {
    const timeMs = time === undefined ? undefined : timeMsOf(time);
    if (timeMs === undefined) return undefined;
    const { hour, minute } = partsAt(timeMs);
    const now = hour * 60 + minute;
    return first < end ? first <= now && now < end : first <= now || now < end;
  };
}

function minutesOf(text: string): number {
  const [, hour, minute] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  if (!(minutes <= 1440 && Number(minute) < 60))
    throw functionError("D4005", `$timeBetween: ${quoted(text)} is no time of day: write 00:00 to 24:00`);
  return minutes;
}

export const ZONE_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "inZone",
    signature: "<(ns)-s:o>",
    cost: "measured",
    implementation: inZone,
    checks: {
      members: {
        year: "number",
        month: "number",
        day: "number",
        weekday: "number",
        weekdayName: DAY_NAMES,
        hour: "number",
        minute: "number",
        second: "number",
        date: "string",
        time: "string",
      },
    },
    docs: {
      summary:
        "A time, as milliseconds since 1970 or ISO 8601 text, by the calendar and clock of an IANA time zone: `year`, `month`, `day`, `weekday` (1 is Monday), `weekdayName`, `hour`, `minute`, `second`, `date` (YYYY-MM-DD) and `time` (HH:MM). No value when the time is malformed.",
      parameters: ["time", "zone"],
      examples: [
        {
          expression: '$inZone("2026-07-01T22:30:00Z", "Europe/Berlin")',
          result: {
            year: 2026,
            month: 7,
            day: 2,
            weekday: 4,
            weekdayName: "Thursday",
            hour: 0,
            minute: 30,
            second: 0,
            date: "2026-07-02",
            time: "00:30",
          },
        },
        { expression: '$inZone(0, "America/New_York").date', result: "1969-12-31" },
      ],
    },
    prepare([zone, ...more]) {
      if (more.length > 0 || typeof zone !== "string") return undefined;
      const partsAt = zoneOf(zone);
      return (time: Time) => timeIn(partsAt, time);
    },
  },
  {
    name: "timeBetween",
    signature: "<(ns)-sss:b>",
    cost: "measured",
    implementation: timeBetween,
    docs: {
      summary:
        "Whether the clock of a time zone shows `from` or later, and earlier than `to`, both as HH:MM; past midnight when `from` is after `to`. No value when the time is malformed.",
      parameters: ["time", "zone", "from", "to"],
      examples: [
        {
          expression: '$timeBetween("2026-07-01T07:30:00Z", "Europe/Berlin", "09:00", "17:00")',
          result: true,
        },
        { expression: '$timeBetween("2026-07-01T23:30:00Z", "UTC", "22:00", "06:00")', result: true },
      ],
    },
    prepare(constants) {
      const [zone, from, to] = constants;
      const texts = [zone, from, to].every((text) => typeof text === "string");
      return constants.length === 3 && texts
        ? spanOf(zone as string, from as string, to as string)
        : undefined;
    },
  },
];
