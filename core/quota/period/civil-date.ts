// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Days and months of the proleptic Gregorian calendar as whole numbers, from 1970 on: day 0 is 1 January 1970,
 * a Thursday, and month 0 is January 1970.
 */
export type DayNumber = number;
export type MonthNumber = number;

export const DAY_MS = 86_400_000;

/** A year that begins in March ends with the leap day, so that each month begins on a fixed day of the year. */
const DAYS_FROM_MARCH_0000 = 719_468;

/** The day on which a month begins. */
export function firstDayOf(month: MonthNumber): DayNumber {
  const march = month + 1970 * 12 - 2;
  const year = Math.floor(march / 12);
  const leapDays = Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
  // From March on, five months have 153 days: 31, 30, 31, 30, 31.
  const dayOfYear = Math.floor((153 * (march - 12 * year) + 2) / 5);
  return 365 * year + leapDays + dayOfYear - DAYS_FROM_MARCH_0000;
}

/** The month of a day. */
export function monthOf(day: DayNumber): MonthNumber {
  // The average month has 30.436875 days, so the estimate is at most a month too late or too early.
  const estimate = Math.floor(day / 30.436875);
  if (firstDayOf(estimate) > day) return estimate - 1;
  return firstDayOf(estimate + 1) <= day ? estimate + 1 : estimate;
}

/** The day of a date. @param month 1 to 12. */
export function dayOf(year: number, month: number, day: number): DayNumber {
  return firstDayOf((year - 1970) * 12 + month - 1) + day - 1;
}

/** Days since the last Monday: 0 on a Monday, 6 on a Sunday. */
export function weekdayOf(day: DayNumber): number {
  return (day + 3) % 7;
}
