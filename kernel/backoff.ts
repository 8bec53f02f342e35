// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "./ports.ts";

export interface BackoffLimits {
  /** The shortest pause; default 100 ms. */
  readonly minMs?: number;
  /** How much the longest possible pause grows by the first failure; each further failure doubles that. Default 100 ms. */
  readonly baseMs?: number;
  /** The longest pause; default 10 s. */
  readonly maxMs?: number;
}

/**
 * How long to wait before the next try, in milliseconds, after `failures` of them: at random between `minMs` and
 * `minMs` + (2^failures - 1) × `baseMs`, at most `maxMs`. The jitter is wide so that processes that failed together do
 * not come back together.
 */
export function backoffMs(
  failures: number,
  random: Random,
  { minMs = 100, baseMs = 100, maxMs = 10_000 }: BackoffLimits = {},
): number {
  return minMs + random() * Math.min(maxMs - minMs, (2 ** failures - 1) * baseMs);
}
