// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { dayOf } from "./iso-time.ts";

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
  return dayOf(year, month, day) * DAY_MS + seconds * 1000 + milliseconds;
}

function parseOffset(text: string): number | undefined {
  if (text === "Z" || text === "z") return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (text.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const next = month === 12 ? dayOf(year + 1, 1, 1) : dayOf(year, month + 1, 1);
  return day <= next - dayOf(year, month, 1);
}
