// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import { type PeriodRule, periodText, WEEKDAYS } from "./period-rule.ts";
import { type DayNumber, firstDayOf, type MonthNumber, monthOf, weekdayOf } from "./civil-date.ts";
import { ZoneClock } from "./zone-clock.ts";

/** The periods around a moment, as instants in milliseconds since the epoch, ascending. */
export interface PeriodBounds {
  /** The rule of the periods as text: it names the count. */
  readonly rule: string;
  readonly previousPeriodStartMs: number;
  readonly periodStartMs: number;
  /** The first instant of the next period. */
  readonly periodEndMs: number;
  readonly nextPeriodEndMs: number;
}

/** The periods of one rule. */
class Calendar {
  readonly #rule: PeriodRule;
  readonly #text: string;
  readonly #zone: ZoneClock;
  /** The bounds computed last: one reading of the clock in 10^5 needs other ones. */
  #last: PeriodBounds | undefined;

  constructor(rule: PeriodRule, text: string) {
    this.#rule = rule;
    this.#text = text;
    this.#zone = new ZoneClock(rule.timeZone);
  }

  boundsAt(nowMs: number): PeriodBounds {
    const last = this.#last;
    if (last !== undefined && last.periodStartMs <= nowMs && nowMs < last.periodEndMs) return last;
    let first = this.#firstDayOf(this.#zone.dayAt(nowMs));
    // The clock may repeat the end of a day after the next day has begun.
    if (this.#zone.startOf(first) > nowMs) first = this.#before(first);
    const next = this.#after(first);
    if (this.#zone.startOf(next) <= nowMs) first = next;
    const periodStartMs = this.#zone.startOf(first);
    const previousPeriodStartMs = this.#startBefore(first, periodStartMs);
    const [following, periodEndMs] = this.#startAfter(first, periodStartMs);
    const [, nextPeriodEndMs] = this.#startAfter(following, periodEndMs);
    const bounds = { rule: this.#text, previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs };
    this.#last = bounds;
    return bounds;
  }

  /** The next period's first day and beginning. A period of a date that the zone skips has no length. */
  #startAfter(first: DayNumber, startMs: number): readonly [DayNumber, number] {
    let day = this.#after(first);
    while (this.#zone.startOf(day) <= startMs) day = this.#after(day);
    return [day, this.#zone.startOf(day)];
  }

  #startBefore(first: DayNumber, startMs: number): number {
    let day = this.#before(first);
    while (this.#zone.startOf(day) >= startMs) day = this.#before(day);
    return this.#zone.startOf(day);
  }

  /** The first day of the period that contains a day. */
  #firstDayOf(day: DayNumber): DayNumber {
    const { every, startsOn = "monday" } = this.#rule;
    if (every === "day") return day;
    if (every === "week") return day - ((weekdayOf(day) - WEEKDAYS.indexOf(startsOn) + 7) % 7);
    const month = monthOf(day);
    const first = this.#firstDayIn(month);
    return first <= day ? first : this.#firstDayIn(month - 1);
  }

  #after(first: DayNumber): DayNumber {
    return this.#step(first, 1);
  }

  #before(first: DayNumber): DayNumber {
    return this.#step(first, -1);
  }

  #step(first: DayNumber, by: 1 | -1): DayNumber {
    const { every } = this.#rule;
    if (every === "day") return first + by;
    if (every === "week") return first + 7 * by;
    return this.#firstDayIn(monthOf(first) + by);
  }

  /** The first day of the period that begins in a month. */
  #firstDayIn(month: MonthNumber): DayNumber {
    const first = firstDayOf(month);
    return Math.min(first + (this.#rule.dayOfMonth ?? 1), firstDayOf(month + 1)) - 1;
  }
}

/** More rules than the policies of one mixer use. */
const MAX_CALENDARS = 1_000;

const CALENDARS = new LRUCache<string, Calendar>({ max: MAX_CALENDARS });

/**
 * The calendar periods of a rule around `nowMs`. Days begin as ZoneClock says, so that a day of a change of the
 * clock has 23 or 25 hours.
 *
 * @param nowMs Milliseconds since the epoch, from 1970 on.
 * @throws RangeError for a time zone that the runtime does not know.
 */
export function periodBoundsAt(rule: PeriodRule, nowMs: number): PeriodBounds {
  const text = periodText(rule);
  let calendar = CALENDARS.get(text);
  if (calendar === undefined) {
    calendar = new Calendar(rule, text);
    CALENDARS.set(text, calendar);
  }
  return calendar.boundsAt(nowMs);
}
