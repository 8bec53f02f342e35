// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Seconds and nanoseconds, the shape of the OpenTelemetry SDK. */
export type HrTime = [seconds: number, nanos: number];

/** Largest time in milliseconds whose nanoseconds fit into 64 bits, rounded down: in the year 2554. */
const MAX_TIME_MS = 18_446_744_073_709;

/** Whether OTLP can represent the time. */
export function isTime(epochMs: number): boolean {
  return epochMs >= 0 && epochMs <= MAX_TIME_MS;
}

/** Seconds and nanoseconds; zero, which means unknown in OTLP, for a time that OTLP cannot represent. */
export function hrTimeOf(epochMs: number): HrTime {
  if (!isTime(epochMs)) return [0, 0];
  const seconds = Math.floor(epochMs / 1000);
  // Rounded to microseconds: a number of milliseconds holds no more.
  const micros = Math.round((epochMs - seconds * 1000) * 1000);
  return micros === 1_000_000 ? [seconds + 1, 0] : [seconds, micros * 1000];
}
