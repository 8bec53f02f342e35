// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DateMemo } from "../../runtime/guard.ts";

/** Fast path for times in the most common form, `2026-01-31T12:00:00.000Z`, without JavaScript's slow general Date. */

const DAY_MS = 86_400_000;
/** The first millisecond of the year 0 and the last of the year 9999: between them a year has four digits. */
const [FIRST_MS, LAST_MS] = [-62_167_219_200_000, 253_402_300_799_999];

const TWO_DIGITS = digitsUpTo(100, 2);
/** `-03-31`, at 32 times the month and the day. */
const MONTHS_AND_DAYS = digitsUpTo(13, 2).flatMap((month) =>
  digitsUpTo(32, 2).map((day) => `-${month}-${day}`),
);
const HOURS = digitsUpTo(24, 2).map((hour) => `T${hour}:`);
const MINUTES = digitsUpTo(60, 2).map((minute) => `${minute}:`);
const SECONDS = digitsUpTo(60, 2).map((second) => `${second}.`);
const MILLIS = digitsUpTo(1_000, 3).map((milli) => `${milli}Z`);

function digitsUpTo(count: number, width: number): string[] {
  return Array.from({ length: count }, (_, number) => String(number).padStart(width, "0"));
}

/**
 * A time as text; undefined when it is not a whole number of milliseconds in a year of four digits.
 * @param lastDate Memo of the last date, which most calls need again.
 */
export function isoText(millis: number, lastDate: DateMemo): string | undefined {
  if (!Number.isInteger(millis) || millis < FIRST_MS || millis > LAST_MS) return undefined;
  const day = Math.floor(millis / DAY_MS);
  if (day !== lastDate.day) {
    lastDate.day = day;
    lastDate.text = dateText(day);
  }
  // From here on the numbers are small integers: `| 0` tells V8 so.
  const milliOfDay = (millis - day * DAY_MS) | 0;
  const secondOfDay = (milliOfDay / 1_000) | 0;
  const minuteOfDay = (secondOfDay / 60) | 0;
  const hour = (minuteOfDay / 60) | 0;
  return (
    lastDate.text +
    (HOURS[hour] as string) +
    (MINUTES[minuteOfDay - hour * 60] as string) +
    (SECONDS[secondOfDay - minuteOfDay * 60] as string) +
    (MILLIS[milliOfDay - secondOfDay * 1_000] as string)
  );
}

/**
 * The date of a day counted from 1970-01-01, and in `dayOf` the day of a date, by years that begin in March and eras of 400
 * years (Howard Hinnant, chrono-Compatible Low-Level Date Algorithms).
 */
function dateText(day: number): string {
  const fromMarch = day + 719_468;
  const era = Math.floor(fromMarch / 146_097);
  // Small whole numbers of at least 0 from here on, which `| 0` tells the machine.
  const dayOfEra = (fromMarch - era * 146_097) | 0;
  const leapDays = (((dayOfEra / 1_460) | 0) - ((dayOfEra / 36_524) | 0) + ((dayOfEra / 146_096) | 0)) | 0;
  const yearOfEra = ((dayOfEra - leapDays) / 365) | 0;
  const dayOfYear = (dayOfEra - (365 * yearOfEra + ((yearOfEra / 4) | 0) - ((yearOfEra / 100) | 0))) | 0;
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  const dayOfMonth = (dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1) | 0;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const century = (year / 100) | 0;
  return `${TWO_DIGITS[century]}${TWO_DIGITS[year - century * 100]}${MONTHS_AND_DAYS[month * 32 + dayOfMonth]}`;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar in the years 1 to 10000. */
export function dayOf(year: number, month: number, day: number): number {
  const fromMarch = month <= 2 ? year - 1 : year;
  // Years of four digits are never below 0: cutting off is rounding down.
  const era = Math.trunc(fromMarch / 400);
  const yearOfEra = fromMarch - era * 400;
  const dayOfYear = Math.trunc((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Milliseconds since 1970 of a text in this form; undefined for any other text, and for a date that no calendar has. */
export function isoMillis(text: string): number | undefined {
  const { length } = text;
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== Z || text.charCodeAt(10) !== T)
    return undefined;
  if (
    text.charCodeAt(4) !== DASH ||
    text.charCodeAt(7) !== DASH ||
    text.charCodeAt(13) !== COLON ||
    text.charCodeAt(16) !== COLON ||
    (length === 24 && text.charCodeAt(19) !== DOT)
  )
    return undefined;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const milli = length === 24 ? twoDigits(text, 20) * 10 + oneDigit(text, 22) : 0;
  // Anything that is no digit makes its number negative. The 29th of February is left to the general way.
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] as number)) return undefined;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 || milli < 0)
    return undefined;
  return dayOf(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1_000 + milli;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const [ZERO, DASH, COLON, DOT, T, Z] = [48, 45, 58, 46, 84, 90];

/** The number that two digits write; far below 0 for other characters. */
function twoDigits(text: string, at: number): number {
  return oneDigit(text, at) * 10 + oneDigit(text, at + 1);
}

function oneDigit(text: string, at: number): number {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : NO_NUMBER;
}

const NO_NUMBER = -1_000_000;
