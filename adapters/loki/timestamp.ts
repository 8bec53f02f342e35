// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Nanoseconds of an int64 end in the year 2262; Loki refuses the whole request beyond it. */
const MAX_TIME_MS = 9_223_372_036_854;

const NANOSECONDS = 1_000_000;

/** Whether Loki can read a time; epochMs may be NaN. */
export function isWritable(epochMs: number): boolean {
  return epochMs >= 0 && epochMs <= MAX_TIME_MS;
}

/**
 * Nanoseconds since the epoch, in decimal digits. The digits of milliseconds and below are written apart: a number of
 * nanoseconds is beyond 2^53, where integers are no longer exact.
 */
export function nanoseconds(epochMs: number): string {
  const whole = Math.floor(epochMs);
  const rest = Math.min(NANOSECONDS - 1, Math.round((epochMs - whole) * NANOSECONDS));
  const text = `${whole}${String(rest).padStart(6, "0")}`;
  return text.replace(/^0+(?=\d)/, "");
}
