// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Redis } from "ioredis";
import { checkSchedules, scheduleCount } from "../../test/support/quota-model/check-schedules.ts";
import { redisSubject } from "../../test/support/quota-model/model-subject.ts";
import { runSchedule } from "../../test/support/quota-model/run-schedule.ts";
import { arbitrarySchedules, type Schedule } from "../../test/support/quota-model/schedule.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";

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

  const run = (schedule: Schedule, clockGoesBack: boolean): Promise<void> =>
    runSchedule(schedule, redisSubject(client), { startMs: START_MS, clockGoesBack });

  it("grants, refuses and takes back exactly the reference's amounts, with a TTL on every key", async () => {
    await checkSchedules(arbitrarySchedules(), (schedule) => run(schedule, false), RUNS);
  }).timeout(TIMEOUT_MS);

  it("never exceeds a limit and loses no release when the server's clock goes back", async () => {
    await checkSchedules(arbitrarySchedules(), (schedule) => run(schedule, true), RUNS);
  }).timeout(TIMEOUT_MS);
});
