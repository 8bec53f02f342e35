// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Redis } from "ioredis";

/** Asserts that every key of the server has a TTL, by SCAN; returns the keys. */
export async function assertEveryKeyHasTtl(client: Redis): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const batch of client.scanStream({ count: 1_000 })) keys.push(...(batch as string[]));
  const ttls = await Promise.all(keys.map(async (key) => ({ key, ttlMs: await client.pttl(key) })));
  // -1: no TTL; -2: the key has expired meanwhile.
  assert.deepEqual(
    ttls.filter(({ ttlMs }) => ttlMs === -1),
    [],
  );
  return keys;
}
