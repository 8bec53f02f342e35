// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DAY_MS, type DayNumber, dayOf } from "./civil-date.ts";

/**
 * The local time of one zone, by the time zone database of the runtime's `Intl`. Local times are written as the
 * milliseconds that the same reading would be in UTC.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a name that the runtime's time zone database does not have. */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** The local date at an instant. */
  dayAt(instantMs: number): DayNumber {
    return Math.floor((instantMs + this.#offsetMs(instantMs)) / DAY_MS);
  }

  /**
   * The instant at which a local day begins: midnight; the first of two midnights; or, when the clock skips
   * midnight, the instant of the change. For a date that the zone skips, the beginning of the day after it.
   */
  startOf(day: DayNumber): number {
    const midnight = day * DAY_MS;
    // No zone is a whole day away from UTC, so the two offsets are those before and after this midnight.
    const before = this.#offsetMs(midnight - DAY_MS);
    const after = this.#offsetMs(midnight + DAY_MS);
    const first = midnight - Math.max(before, after);
    const second = midnight - Math.min(before, after);
    if (this.#reads(first, midnight)) return first;
    if (this.#reads(second, midnight)) return second;
    return this.#changeBetween(first, second);
  }

  #reads(instantMs: number, localMs: number): boolean {
    return instantMs + this.#offsetMs(instantMs) === localMs;
  }

  /** The first instant of the later offset; the clock goes forward once between the two instants. */
  #changeBetween(earlierMs: number, laterMs: number): number {
    const later = this.#offsetMs(laterMs);
    let [low, high] = [earlierMs, laterMs];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetMs(middle) === later) high = middle;
      else low = middle;
    }
    return high;
  }

  /** Local time less UTC, in milliseconds. */
  #offsetMs(instantMs: number): number {
    const second = Math.floor(instantMs / 1_000) * 1_000;
    const read = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(second))
      if (type in read) read[type as keyof typeof read] = Number(value);
    const { year, month, day, hour, minute } = read;
    return dayOf(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + read.second) * 1_000 - second;
  }
}

/** Whether the runtime's time zone database has a zone of this name. Offsets such as +01:00 are no names. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
