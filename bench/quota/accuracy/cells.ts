// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TimedAlgorithm, Traffic } from "./traffic.ts";

/** Limits by the length of their window, so that most runs hold leases. */
export const LIMITS = [
  { windowMs: 1_000, limit: 100, windows: 60 },
  { windowMs: 60_000, limit: 300, windows: 40 },
] as const;

export const ALGORITHMS: readonly TimedAlgorithm[] = [
  "fixed-window",
  "sliding-window",
  "sliding-log",
  "token-bucket",
];
export const STORE_LATENCIES_MS = [0, 200];
export const LOADS = [0.5, 0.99, 1, 1.01, 10];

/** How the demand is spread over proxies, by the heading of its column; uneven: one proxy has half of the demand. */
export const SPREADS: Readonly<Record<string, readonly number[]>> = {
  "1 proxy": evenly(1),
  "2 proxies": evenly(2),
  "4 proxies": evenly(4),
  "8 proxies": evenly(8),
  "4 uneven": [1 / 2, 1 / 6, 1 / 6, 1 / 6],
};

/** The cells of one row of the table: one traffic for each spread. */
export interface Row extends Omit<Traffic, "shares"> {
  /** Number of windows that are measured. */
  readonly windows: number;
}

export const ROWS: readonly Row[] = ALGORITHMS.flatMap((algorithm) =>
  LIMITS.flatMap((limits) =>
    STORE_LATENCIES_MS.flatMap((storeLatencyMs) =>
      LOADS.map((load) => ({ algorithm, ...limits, storeLatencyMs, load })),
    ),
  ),
);

function evenly(proxies: number): readonly number[] {
  return Array.from({ length: proxies }, () => 1 / proxies);
}
