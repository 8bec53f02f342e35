// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../core/kernel/ports.ts";

const BACKOFF_BASE_MS = 100;
const BACKOFF_LIMIT_MS = 10_000;

/**
 * How long to wait before the next try, after `failures` of them: anywhere between the base and the base doubled for
 * each failure, at most the limit. The jitter is wide so that mixers that failed together do not come back together.
 */
export function backoffMs(failures: number, random: Random): number {
  const ceilingMs = Math.min(BACKOFF_LIMIT_MS, BACKOFF_BASE_MS * 2 ** failures);
  return BACKOFF_BASE_MS + random() * (ceilingMs - BACKOFF_BASE_MS);
}
