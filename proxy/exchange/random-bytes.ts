// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomFillSync } from "node:crypto";

/** Enough for 1,600 requests. */
const POOL_BYTES = 64 * 1024;

/**
 * Gives unpredictable bytes in parts of one size. The operating system is asked for many at once: a call takes some 15 µs,
 * however few bytes it is for.
 *
 * @param bytes Size of a part, a power of two up to 64 KiB. A part is valid until the next call.
 */
export function randomBytesSource(bytes: number): () => Buffer {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = POOL_BYTES;
  return () => {
    if (at === POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    at += bytes;
    return pool.subarray(at - bytes, at);
  };
}
