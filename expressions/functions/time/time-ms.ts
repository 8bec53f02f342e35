// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Year 1 to year 9999, which four digits can write, in milliseconds since 1970. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

const DAY_MS = 86_400_000;
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d:?\d\d))?$/i;

/**
 * Milliseconds since 1970, from such a number or from ISO 8601 text: a date (its midnight in UTC), or a date and time with
 * `Z` or an offset. Undefined for anything else.
 */
export function timeMsOf(time: number | string): number | undefined {
  const ms = typeof time === "number" ? Math.floor(time) : parseIso(time);
  return ms !== undefined && ms >= FIRST_MS && ms <= LAST_MS ? ms : undefined;
}

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const offsetMinutes = parseOffset(match[8] ?? "Z");
  const inDay = hour < 24 && minute < 60 && second < 60;
  if (!inDay || offsetMinutes === undefined || !isDate(year, month, day)) return undefined;
  const milliseconds = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const seconds = (hour * 60 + minute - offsetMinutes) * 60 + second;
  return daysOf(year, month, day) * DAY_MS + seconds * 1000 + milliseconds;
}

function parseOffset(text: string): number | undefined {
  if (text === "Z" || text === "z") return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const next = month === 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1);
  return day <= next - daysOf(year, month, 1);
}

/** Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that leap days end them. */
export function daysOf(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  // 153 days make five months, from March on. 719,469 days passed from the first of March of year 0 to 1970.
  return marchYear * 365 + leapDays + Math.floor((153 * marchMonth + 2) / 5) + day - 719_469;
}
