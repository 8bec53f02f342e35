// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Durations as documents write them (`60s`, `1.5s`, `1h30m`, `250ms`): Go's form, which Istio's documents
 * use. Inside the program durations are milliseconds, in names that end in `Ms`.
 */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The whole form, for schemas. `d` (day) is Purser's addition, for quotas by the day. */
export const DURATION_PATTERN = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$";

const WHOLE = new RegExp(DURATION_PATTERN);

/** The longest duration: a hundred years. Sums and products of durations stay exact, far below 2^53. */
export const MAX_DURATION_MS = 36_500 * 86_400_000;

/** Whole milliseconds, rounded; undefined when `text` is not a duration or is longer than MAX_DURATION_MS. */
export function parseDurationMs(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (UNIT_MS[unit as string] as number);
  }
  return totalMs <= MAX_DURATION_MS ? Math.round(totalMs) : undefined;
}

/** Rounded to whole microseconds: the last digits of a difference of two instants are noise. */
export function wholeMicroseconds(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}

/** The shortest exact form in a single unit: 90000 is `90s`, 1500 is `1500ms`. */
export function formatDurationMs(durationMs: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const unitMs = UNIT_MS[unit] as number;
    if (durationMs >= unitMs && durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`;
  }
  return `${durationMs}ms`;
}

/** ` per 1m` for a minute, to follow an amount; empty for 0, an amount without a window. */
export function perDuration(durationMs: number): string {
  return durationMs === 0 ? "" : ` per ${formatDurationMs(durationMs)}`;
}
