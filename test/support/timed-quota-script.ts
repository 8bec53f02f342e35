// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import {
  decodeReply,
  encodeCalls,
  type ScriptAnswer,
  type ScriptCall,
} from "../../adapters/redis-quota/encoding.ts";
import { COUNTING } from "../../adapters/redis-quota/script.ts";

const READS_TIME = "redis.call('TIME')";
const SLACK = "SLACK_MS = 1000";

/** Redis counts TTLs in real time, whatever the test's clock does: keys must not expire during a test. */
export const TEST_SLACK_MS = 3_600_000;

/**
 * The script of redis-quota, except that it takes the server's time from its last two arguments. A script with
 * the time in its text would be a new one for each moment, and Redis keeps every script that it has run.
 */
const TIMED_SCRIPT = replacedOnce(
  replacedOnce(COUNTING.source, READS_TIME, "{ ARGV[#ARGV - 1], ARGV[#ARGV] }"),
  SLACK,
  `SLACK_MS = ${TEST_SLACK_MS}`,
);

/** Loaded once for each client: 21,000 characters of script with every call would cost more than deciding. */
const loaded = new WeakMap<Redis, Promise<string>>();

function loadedBy(client: Redis): Promise<string> {
  let sha1 = loaded.get(client);
  if (sha1 === undefined) {
    sha1 = client.script("LOAD", TIMED_SCRIPT) as Promise<string>;
    loaded.set(client, sha1);
  }
  return sha1;
}

/** Runs the script on a real server at that time of the server's clock. */
export async function runScriptAt(
  client: Redis,
  nowMs: number,
  calls: readonly ScriptCall[],
  prefix: string,
): Promise<readonly ScriptAnswer[]> {
  const { keys, args } = encodeCalls(calls, prefix);
  const time = [`${Math.floor(nowMs / 1_000)}`, `${(nowMs % 1_000) * 1_000 + 999}`];
  const sha1 = await loadedBy(client);
  const raw = await client.callBuffer("evalsha", [sha1, keys.length, ...keys, ...args, ...time]);
  const reply = decodeReply(raw, calls);
  assert.equal(reply.nowMs, nowMs);
  return reply.answers;
}

function replacedOnce(text: string, part: string, by: string): string {
  const parts = text.split(part);
  assert.equal(parts.length, 2, `${part}, once`);
  return parts.join(by);
}
