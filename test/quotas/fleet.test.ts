// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Redis } from "ioredis";
import { arbitraryPlans } from "../support/quota-fleet/plan.ts";
import { runPlan } from "../support/quota-fleet/run-plan.ts";
import { checkSchedules, scheduleCount } from "../support/quota-model/check-schedules.ts";
import { memorySubject, redisSubject } from "../support/quota-model/model-subject.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";

// Mixers and proxies' policy clients on virtual time over one store: leases, reservations and slots, while proxies and mixers die, calls and
// replies are lost or repeated, and the store fails. What proxies admit never exceeds a limit, and what they give back is free again.

const START_MS = 1_767_225_600_123;
const MEMORY = { usually: 200 };
const REDIS = { usually: 60, atATime: 16 };

describe("a fleet of proxies and mixers", () => {
  it("never exceeds a limit and loses no release, over the memory store", async () => {
    await checkSchedules(
      arbitraryPlans(),
      (plan) => runPlan(plan, memorySubject(START_MS), START_MS),
      MEMORY,
    );
  }).timeout(Math.max(20_000, scheduleCount(MEMORY.usually) * 60));

  describe("over Redis", () => {
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

    it("never exceeds a limit and loses no release, with a TTL on every key", async () => {
      await checkSchedules(arbitraryPlans(), (plan) => runPlan(plan, redisSubject(client), START_MS), REDIS);
    }).timeout(Math.max(30_000, scheduleCount(REDIS.usually) * 120));
  });
});
