// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "./ports.ts";

const BACKOFF_BASE_MS = 100;

/**
 * How long to wait before the next try, after `failures` of them: anywhere between 100 ms and that doubled for each
 * failure, at most `limitMs`. The jitter is wide so that processes that failed together do not come back together.
 *
 * @param limitMs Default 10 s.
 */
export function backoffMs(failures: number, random: Random, limitMs = 10_000): number {
  const ceilingMs = Math.min(limitMs, BACKOFF_BASE_MS * 2 ** failures);
  return BACKOFF_BASE_MS + random() * (ceilingMs - BACKOFF_BASE_MS);
}
