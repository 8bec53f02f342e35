// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { oneOf } from "../one-of.ts";

export const PERIOD_LENGTHS = ["day", "week", "month"] as const;

/** In the order of ISO 8601, which numbers Monday 1. */
export const WEEKDAYS = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
] as const;

/** The calendar periods of a QuotaPolicy. All fields that matter are present. */
export const PERIOD_RULE = Type.Object({
  every: oneOf(PERIOD_LENGTHS),
  /** A name of the IANA time zone database. */
  timeZone: Type.String(),
  /** The first day of a week; only for weeks. */
  startsOn: Type.Optional(oneOf(WEEKDAYS)),
  /** The first day of a month's period, 1 to 31; a shorter month begins it on its last day. Only for months. */
  dayOfMonth: Type.Optional(Type.Integer({ minimum: 1, maximum: 31 })),
});

export type PeriodRule = Readonly<Static<typeof PERIOD_RULE>>;

const DAY_MS = 86_400_000;

/** The usual length of a period in milliseconds, for the `w` of RateLimit-Policy: a month has 30 days. */
export const USUAL_LENGTH_MS: Readonly<Record<PeriodRule["every"], number>> = {
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
};

/** The rule as text without spaces or colons, such as `month@1@Europe/Zurich`. Equal rules have equal texts. */
export function periodText({ every, timeZone, startsOn, dayOfMonth }: PeriodRule): string {
  const first = startsOn ?? dayOfMonth;
  return first === undefined ? `${every}@${timeZone}` : `${every}@${first}@${timeZone}`;
}
