// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The median of the values; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The percentile of ascending values by the nearest-rank method; 0 of none. */
export function percentile(ascending: Readonly<ArrayLike<number>>, percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * ascending.length));
  return ascending[rank - 1] ?? 0;
}

/**
 * The median of the ratios of the rounds that both series have. Ratios are taken within a round, so that a
 * disturbance of one round by the machine's other work cannot be in one series alone. NaN without a common round.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  const ratios = ours.flatMap((value, round) => {
    const other = theirs[round];
    return other === undefined || !(other > 0) ? [] : [value / other];
  });
  return median(ratios);
}

/** The number with three significant digits at most after rounding, so that reports stay readable. */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
