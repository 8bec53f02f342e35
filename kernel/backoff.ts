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
 * Delay before the next try, in milliseconds: exponential back-off with jitter, uniform between `minMs` and
 * `minMs` + (2^failures - 1) × `baseMs`, at most `maxMs`. The wide jitter keeps processes that failed together from
 * retrying together.
 *
 * @param failures Failures so far.
 */
export function backoffMs(
  failures: number,
  random: Random,
  { minMs = 100, baseMs = 100, maxMs = 10_000 }: BackoffLimits = {},
): number {
  return minMs + random() * Math.min(maxMs - minMs, (2 ** failures - 1) * baseMs);
}
