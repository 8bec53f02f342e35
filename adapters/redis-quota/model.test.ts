// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { QuotaGrant } from "../../core/quota/quota.ts";
import { checkSchedules, scheduleCount } from "../../test/support/quota-model/check-schedules.ts";
import { type ModelCall, runSchedule } from "../../test/support/quota-model/run-schedule.ts";
import { arbitrarySchedules } from "../../test/support/quota-model/schedule.ts";
import { uniqueName } from "../../test/support/quota-store-suite.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { runScriptAt, TEST_SLACK_MS } from "../../test/support/timed-quota-script.ts";
import { encodeCalls } from "./encoding.ts";

/** Schedules at a time have keys of their own, and overlap their round trips. */
const RUNS = { usually: 150, atATime: 16 };
const TIMEOUT_MS = Math.max(30_000, scheduleCount(RUNS.usually) * 60);
const START_MS = 1_767_225_600_123;

describe("the Redis quota script against the reference model", () => {
  let server: RedisServer;
  let client: Redis;

  before(async function () {
    server = await startRedis(this);
    client = new Redis(server.port, server.host);
  });

  after(async () => {
    client?.disconnect();
    await server?.stop();
  });

  /** The script with a clock that the schedule sets, and the keys that it may have written. */
  function subject() {
    const prefix = `${uniqueName("m")}{quota}:`;
    const keys = new Map<string, number>();
    return {
      keys,
      async decide(nowMs: number, calls: readonly ModelCall[]) {
        const answers = await runScriptAt(client, nowMs, calls, prefix);
        for (const [index, call] of calls.entries()) {
          const grants = answers[index] as readonly QuotaGrant[];
          const named = encodeCalls([call], prefix).keys;
          for (const key of named) if (!keys.has(key)) keys.set(key, 0);
          for (const [at, key] of named.slice(named.length - grants.length).entries())
            keys.set(key, (grants[at] as QuotaGrant).resetMs);
        }
        return answers as readonly (readonly QuotaGrant[])[];
      },
    };
  }

  async function run(schedule: Parameters<typeof runSchedule>[0], clockGoesBack: boolean): Promise<void> {
    const counted = subject();
    await runSchedule(schedule, counted, { startMs: START_MS, clockGoesBack });
    const names = [...counted.keys.keys()];
    const pipeline = client.pipeline();
    for (const name of names) pipeline.pttl(name);
    pipeline.unlink(...names);
    const replies = (await pipeline.exec()) ?? [];
    for (const [index, name] of names.entries()) {
      const ttlMs = Number(replies[index]?.[1]);
      assert.ok(ttlMs === -2 || ttlMs > 0, `${name} has a TTL of ${ttlMs}`);
      // A count in use must not expire; a minute for the test's own time.
      const neededMs = counted.keys.get(name) as number;
      if (neededMs > 0)
        assert.ok(ttlMs >= neededMs + TEST_SLACK_MS - 60_000, `${name} expires after ${ttlMs}`);
    }
  }

  it("grants, refuses and takes back exactly the reference's amounts, with a TTL on every key", async () => {
    await checkSchedules(arbitrarySchedules(), (schedule) => run(schedule, false), RUNS);
  }).timeout(TIMEOUT_MS);

  it("never exceeds a limit and loses no release when the server's clock goes back", async () => {
    await checkSchedules(arbitrarySchedules(), (schedule) => run(schedule, true), RUNS);
  }).timeout(TIMEOUT_MS);
});
