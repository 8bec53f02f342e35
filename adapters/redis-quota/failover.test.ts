// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { AdapterHandler, QuotaStore } from "../../plugins/sdk/index.ts";
import { createRealTime, createTestContext } from "../../plugins/sdk/testing/index.ts";
import { QuotaLoad } from "../../test/support/quota-load.ts";
import { startRedisCluster } from "../../test/support/redis-cluster.ts";
import { cutReplication, primaryPortOf } from "../../test/support/redis-replication.ts";
import type { RedisServer } from "../../test/support/redis-server.ts";
import { startSentinels } from "../../test/support/redis-sentinels.ts";
import { documentedRules } from "./documented-rules.test.ts";
import { redisQuota } from "./index.ts";
import { createShards, shardOf } from "./shards.ts";

const TIMEOUT_MS = 250;
/** Tolerance of waits on a busy machine. */
const LAG_MS = 250;
/** Time for which the primary grants what no replica has; less than the time after which a replica counts as dead. */
const CUT_MS = 250;
const SHARDS = 16;

describe("a primary that dies with writes that no replica has", function () {
  this.timeout(180_000);
  let handler: AdapterHandler | undefined;
  const stops: (() => Promise<void>)[] = [];

  afterEach(async () => {
    await handler?.close();
    handler = undefined;
    for (const stop of stops.splice(0)) await stop();
  });

  const open = (config: Readonly<Record<string, unknown>>): QuotaStore => {
    const context = createTestContext(
      redisQuota,
      { timeout: `${TIMEOUT_MS}ms`, ...config },
      { time: createRealTime() },
    );
    handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
    const allocate = handler.quota;
    assert.ok(allocate !== undefined);
    return { allocate: async (requests, options) => await allocate(requests, options) };
  };

  /** Has the primary of the load's first count die with the grants of its last moments. */
  const loseGrants = async (
    load: QuotaLoad,
    primaryOf: (cell: string) => Promise<RedisServer>,
    servers: readonly RedisServer[],
  ): Promise<void> => {
    await load.untilStoreDecides(1_000, 10_000);
    const primary = await primaryOf(load.answers[0]?.cell ?? "");
    const replicas: RedisServer[] = [];
    for (const server of servers) if ((await primaryPortOf(server)) === primary.port) replicas.push(server);
    assert.ok(replicas.length > 0);
    const cutMs = performance.now();
    await cutReplication(primary, replicas);
    await sleep(CUT_MS);
    await primary.kill();
    const failoverMs = performance.now();
    for (const replica of replicas) replica.resume();
    await sleep(300);
    await load.untilStoreDecides(500, 60_000);
    await load.untilUsedUp(30_000);
    await load.stop();
    const again = load.assertExact(failoverMs, cutMs);
    const lost = load.answers.filter(
      ({ fromStore, granted, sentMs, answeredMs }) =>
        fromStore && granted && answeredMs > cutMs && sentMs <= failoverMs,
    ).length;
    console.info(
      `      ${again} grants were granted again, of ${lost} without a replica, of ${load.count} calls`,
    );
    assert.ok(again > 0, "no write was lost");
    load.assertNoneWaited(TIMEOUT_MS + LAG_MS);
  };

  it("has these grants granted again and no others, with Sentinel and users with the least rights", async function () {
    const setup = await startSentinels(this);
    stops.push(() => setup.stop());
    const { sentinels, servers, master } = setup;
    const addUser = async (port: number, topology: string): Promise<void> => {
      const admin = new Redis(port);
      await admin.acl("SETUSER", "purser", "on", ">secret", ...documentedRules(topology));
      admin.disconnect();
    };
    for (const { port } of servers) await addUser(port, "one server");
    for (const { port } of sentinels) await addUser(port, "Sentinel");
    const store = open({
      sentinels,
      master,
      username: "purser",
      password: "secret",
      sentinelUsername: "purser",
      sentinelPassword: "secret",
    });
    await loseGrants(new QuotaLoad({ store, cells: 12, limit: 1_500 }), () => setup.primary(), servers);
  });

  it("has these grants granted again and no others, in a cluster", async function () {
    const cluster = await startRedisCluster(this);
    stops.push(() => cluster.stop());
    const store = open({ cluster: cluster.addresses.slice(0, 2) });
    const primaryOf = (cell: string): Promise<RedisServer> =>
      cluster.primaryOf(createShards("purser:{quota}:", SHARDS)[shardOf(cell, SHARDS)]?.slot ?? 0);
    await loseGrants(new QuotaLoad({ store, cells: 24, limit: 700 }), primaryOf, cluster.nodes);
  });
});
