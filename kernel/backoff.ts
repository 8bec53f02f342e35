// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "./ports.ts";

const BACKOFF_BASE_MS = 100;

/**
 * Delay before the next try, in milliseconds: exponential back-off with jitter, uniform between 100 ms and
 * 100 ms × 2^failures, at most `limitMs`. The wide jitter keeps processes that failed together from retrying
 * together.
 *
 * @param failures Failures so far.
 * @param limitMs Default 10 s.
 */
export function backoffMs(failures: number, random: Random, limitMs = 10_000): number {
  const ceilingMs = Math.min(limitMs, BACKOFF_BASE_MS * 2 ** failures);
  return BACKOFF_BASE_MS + random() * (ceilingMs - BACKOFF_BASE_MS);
}
