// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Times in the one form that most have, `2026-01-31T12:00:00.000Z`, read and written without JavaScript's slow general way. */

const DAY_MS = 86_400_000;
/** The first millisecond of the year 0 and the last of the year 9999: between them a year has four digits. */
const [FIRST_MS, LAST_MS] = [-62_167_219_200_000, 253_402_300_799_999];

const TWO_DIGITS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));
const THREE_DIGITS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, "0"));

let [lastDay, lastDate] = [Number.NaN, ""];

/** A time as text; undefined when it is not a whole number of milliseconds in a year of four digits. */
export function isoText(millis: number): string | undefined {
  if (!Number.isInteger(millis) || millis < FIRST_MS || millis > LAST_MS) return undefined;
  const day = Math.floor(millis / DAY_MS);
  if (day !== lastDay) {
    // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
    lastDate = new Date(day * DAY_MS).toISOString().slice(0, 11);
    lastDay = day;
  }
  const rest = millis - day * DAY_MS;
  const hour = TWO_DIGITS[Math.floor(rest / 3_600_000)];
  const minute = TWO_DIGITS[Math.floor(rest / 60_000) % 60];
  const second = TWO_DIGITS[Math.floor(rest / 1_000) % 60];
  return `${lastDate}${hour}:${minute}:${second}.${THREE_DIGITS[rest % 1_000]}Z`;
}

/** The time that a text of that form says; undefined for any other text, and for what no calendar has. */
export function isoMillis(text: string): number | undefined {
  const { length } = text;
  if ((length !== 20 && length !== 24) || text.charCodeAt(length - 1) !== Z || text.charCodeAt(10) !== T)
    return undefined;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  const milli = length === 24 ? digits(text, 20, 3) : 0;
  const isSeparated =
    text.charCodeAt(4) === DASH &&
    text.charCodeAt(7) === DASH &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    (length === 20 || text.charCodeAt(19) === DOT);
  // Days that not every month has, and years that Date takes for others, are left to the general way.
  if (!isSeparated || !(year >= 100 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return undefined;
  if (!(hour <= 23 && minute <= 59 && second <= 59 && milli >= 0)) return undefined;
  // oxlint-disable-next-line no-restricted-globals -- of a given time; no clock is read
  return Date.UTC(year, month - 1, day, hour, minute, second, milli);
}

const [ZERO, NINE, DASH, COLON, DOT, T, Z] = [..."09-:.TZ"].map((character) => character.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** NaN where there is something else than digits. */
function digits(text: string, from: number, count: number): number {
  let number = 0;
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return Number.NaN;
    number = number * 10 + code - ZERO;
  }
  return number;
}
