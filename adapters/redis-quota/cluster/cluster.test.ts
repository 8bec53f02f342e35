// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { AdapterHandler, QuotaGrant, QuotaRequest, QuotaStore } from "../../../plugins/sdk/index.ts";
import {
  createRealTime,
  createTestContext,
  quotaRequest,
  type TestContext,
} from "../../../plugins/sdk/testing/index.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { QuotaLoad } from "../../../test/support/quota-load.ts";
import { describeQuotaStore, uniqueName } from "../../../test/support/quota-store-suite.ts";
import { type RedisCluster, startRedisCluster } from "../../../test/support/redis-cluster.ts";
import { type RedisServer, startRedis } from "../../../test/support/redis-server.ts";
import { assertEveryKeyHasTtl } from "../../../test/support/redis-keys.ts";
import { freePort } from "../../../bench/machine/free-port.ts";
import { redisQuota } from "../index.ts";
import { createShards, shardOf } from "../shards.ts";
import { slotOf } from "./key-slot.ts";

const TIMEOUT_MS = 250;
/** Tolerance of waits on a busy machine. */
const LAG_MS = 250;
/** For tests of counting, in which a busy machine must not end a call. */
const PATIENT = { timeout: "5s" };
const PREFIX = "purser:{quota}:";
const SHARDS = 16;

describe("the adapter redis-quota with a Redis Cluster", function () {
  this.timeout(180_000);
  let cluster: RedisCluster;
  const handlers: AdapterHandler[] = [];
  let context: TestContext<unknown, ReturnType<typeof createRealTime>> | undefined;

  before(async function () {
    cluster = await startRedisCluster(this);
  });

  after(async () => {
    await cluster?.stop();
  });

  afterEach(async () => {
    for (const handler of handlers.splice(0)) await handler.close();
    assert.equal(context?.time.scheduled ?? 0, 0);
  });

  const build = (config: Readonly<Record<string, unknown>> = {}): AdapterHandler => {
    context = createTestContext(
      redisQuota,
      { cluster: cluster.addresses.slice(0, 2), timeout: `${TIMEOUT_MS}ms`, ...config },
      { time: createRealTime() },
    );
    const handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
    handlers.push(handler);
    return handler;
  };

  const storeOf = (handler: AdapterHandler): QuotaStore => {
    const allocate = handler.quota;
    assert.ok(allocate !== undefined);
    return { allocate: async (requests, options) => await allocate(requests, options) };
  };

  const open = (config: Readonly<Record<string, unknown>> = {}): QuotaStore => storeOf(build(config));

  const remainingOf = async (store: QuotaStore, request: QuotaRequest): Promise<number> =>
    ((await store.allocate([{ ...request, amount: 0 }], { deduplicationId: "" }))[0] as QuotaGrant).remaining;

  describe("while all nodes are up", () => {
    let store: QuotaStore;
    beforeEach(() => {
      store = open(PATIENT);
    });
    describeQuotaStore("as a quota store", () => ({ store, wait: (durationMs) => sleep(durationMs) }));
  });

  it("computes the slots of hash tags as Redis does", async () => {
    const tags = ["quota", "quota.1", "", "ü🛳️", "x".repeat(300)];
    const [slots] = await cluster.eachPrimary((client) =>
      Promise.all(tags.map((tag) => client.cluster("KEYSLOT", tag))),
    );
    assert.deepEqual(tags.map(slotOf), slots);
  });

  it("spreads counts evenly over the primaries, each with a TTL", async () => {
    const store = open({ ...PATIENT, keyPrefix: "spread:{quota}:" });
    const calls = Array.from(
      { length: 3_000 },
      async (_, user) =>
        await store.allocate([quotaRequest({ cell: `p{"user":"${user}"}` })], { deduplicationId: "" }),
    );
    await Promise.all(calls);
    const counts = await cluster.eachPrimary(
      async (client) =>
        (await assertEveryKeyHasTtl(client)).filter((key) => key.startsWith("spread:")).length,
    );
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      3_000,
    );
    for (const count of counts) assert.ok(count > 750 && count < 1_300, counts.join(", "));
  });

  it("charges quotas on different shards all or nothing, with any callers", async () => {
    const stores = [open(PATIENT), open(PATIENT)];
    const shared = quotaRequest({ cell: `${uniqueName("all")}{}`, limit: 150, windowMs: 36_000_000 });
    const own = Array.from({ length: 8 }, (_, user) =>
      quotaRequest({ cell: `own{"user":"${uniqueName("user")}-${user}"}`, limit: 30, windowMs: 36_000_000 }),
    );
    const granted = new Map(own.map(({ cell }) => [cell, 0]));
    const ask = async (call: number): Promise<void> => {
      const request = own[call % own.length] as QuotaRequest;
      const store = stores[call % 2] as QuotaStore;
      const grants = await store.allocate([shared, request], { deduplicationId: uniqueName("call") });
      const amounts = grants.map((grant) => grant.granted);
      assert.ok(amounts.join() === "1,1" || amounts.join() === "0,0", amounts.join());
      granted.set(request.cell, (granted.get(request.cell) ?? 0) + (amounts[1] as number));
    };
    for (let round = 0; round < 5; round++)
      await Promise.all(Array.from({ length: 80 }, (_, call) => ask(call)));
    const total = [...granted.values()].reduce((sum, amount) => sum + amount, 0);
    assert.equal(total, 150, "later rounds get what earlier rounds gave back");
    assert.equal(await remainingOf(stores[0] as QuotaStore, shared), 0);
    for (const request of own)
      assert.equal(
        await remainingOf(stores[1] as QuotaStore, request),
        30 - (granted.get(request.cell) ?? 0),
      );
  });

  it("answers a repeated call on several shards with its first answer", async () => {
    const store = open(PATIENT);
    const requests = Array.from({ length: 6 }, (_, user) =>
      quotaRequest({
        cell: `again{"user":"${uniqueName("user")}-${user}"}`,
        limit: 3,
        amount: 2,
        windowMs: 36_000_000,
      }),
    );
    const ask = async (deduplicationId: string) =>
      (await store.allocate(requests, { deduplicationId })).map((grant) => grant.granted);
    const [first, second] = [uniqueName("call"), uniqueName("call")];
    for (let time = 0; time < 2; time++) assert.deepEqual(await ask(first), [2, 2, 2, 2, 2, 2]);
    for (let time = 0; time < 2; time++) assert.deepEqual(await ask(second), [0, 0, 0, 0, 0, 0]);
    for (const request of requests) assert.equal(await remainingOf(store, request), 1);
  });

  it("sends its script again to every node that lost it, under load", async () => {
    const load = new QuotaLoad({ store: open(PATIENT), cells: 24, limit: 60 });
    for (let flush = 0; flush < 5; flush++) {
      await sleep(50);
      await cluster.eachPrimary((client) => client.script("FLUSH"));
    }
    await load.untilUsedUp(20_000);
    await load.stop();
    assert.ok(load.answers.every(({ fromStore }) => fromStore));
    assert.equal(load.assertExact(), 0);
  });

  it("follows slots that move to another node, under load", async () => {
    const store = open();
    const load = new QuotaLoad({ store, cells: 24, limit: 300 });
    await load.untilStoreDecides(100, 10_000);
    const [shard] = createShards(PREFIX, SHARDS);
    const from = await cluster.primaryOf(shard?.slot ?? 0);
    const ids = await cluster.eachPrimary(async (client) => ({
      port: client.options.port,
      id: String(await client.cluster("MYID")),
    }));
    const idOf = (own: boolean) => ids.find(({ port }) => (port === from.port) === own)?.id as string;
    const slots = ["--cluster-slots", "3000", "--cluster-yes"];
    await cluster.cli("reshard", "--cluster-from", idOf(true), "--cluster-to", idOf(false), ...slots);
    const moved = await cluster.primaryOf(shard?.slot ?? 0);
    assert.notEqual(moved.port, from.port);
    await load.untilStoreDecides(200, 10_000);
    await load.untilUsedUp(20_000);
    await load.stop();
    load.assertNoneWaited(TIMEOUT_MS + LAG_MS);
    assert.equal(load.assertExact(), 0);
  });

  it("is unavailable when none of its seeds is, logs that once, and is built nevertheless", async () => {
    const handler = build({ cluster: [{ host: "127.0.0.1", port: await freePort() }] });
    for (let call = 0; call < 20; call++) {
      const startMs = performance.now();
      await assert.rejects(async () => await handler.quota?.([quotaRequest({})], { deduplicationId: "" }), {
        code: "PURSER_STORE_UNAVAILABLE",
        retryable: true,
      });
      assert.ok(performance.now() - startMs < TIMEOUT_MS + LAG_MS);
    }
    assert.equal(await handler.healthy?.(), false);
    await sleep(500);
    assert.deepEqual(
      context?.logger.lines.map(({ level, message }) => `${level}: ${message}`),
      ["warn: redis is unavailable"],
    );
  });

  it("reports a server that is no node of a cluster as permanently wrong", async function () {
    const single = await startRedis(this);
    const store = open({ cluster: [{ host: single.host, port: single.port }] });
    await assert.rejects(async () => await store.allocate([quotaRequest({})], { deduplicationId: "" }), {
      message: /cluster support disabled/,
      retryable: false,
    });
    await single.stop();
  });

  /** Kills the primary of the load's first count, and waits until the store decides again. */
  const killUnderLoad = async (load: QuotaLoad): Promise<{ killed: RedisServer; failoverMs: number }> => {
    await load.untilStoreDecides(1_000, 10_000);
    const killed = await primaryOf(load.answers[0]?.cell ?? "");
    await killed.kill();
    const failoverMs = performance.now();
    await sleep(300);
    await load.untilStoreDecides(500, 60_000);
    const outageMs = performance.now() - failoverMs;
    await load.untilUsedUp(30_000);
    await load.stop();
    const local = load.answers.filter(({ fromStore }) => !fromStore).length;
    const excess = load.assertExact(failoverMs);
    console.info(
      `      failover: ${Math.round(outageMs)} ms, longest wait ${Math.round(load.longestWaitMs())} ms, ` +
        `${load.count} requests, ${local} decided locally, ${excess} lost grants granted again`,
    );
    load.assertNoneWaited(TIMEOUT_MS + LAG_MS);
    await cluster.eachPrimary(assertEveryKeyHasTtl);
    return { killed, failoverMs };
  };

  const primaryOf = (cell: string): Promise<RedisServer> =>
    cluster.primaryOf(createShards(PREFIX, SHARDS)[shardOf(cell, SHARDS)]?.slot ?? 0);

  it("is exact again after a primary was killed under load, and no request waits past its deadline", async () => {
    const handler = build();
    await eventually(async () => assert.equal(await handler.healthy?.(), true));
    const load = new QuotaLoad({ store: storeOf(handler), cells: 24, limit: 700 });
    const { killed } = await killUnderLoad(load);
    const local = load.answers.filter(({ fromStore }) => !fromStore);
    assert.ok(local.length > 20 && local.some(({ granted }) => granted), `${local.length} decided locally`);
    assert.equal(await handler.healthy?.(), true);
    await killed.restart();
    await cluster.untilInSync();
  });

  it("serves the counts of all other primaries meanwhile, when the cluster needs no full coverage", async () => {
    for (const { port } of cluster.nodes)
      await cluster.configure(port, "cluster-require-full-coverage", "no");
    const load = new QuotaLoad({ store: open(), cells: 24, limit: 700 });
    await load.untilStoreDecides(100, 10_000);
    const cells = [...new Set(load.answers.map(({ cell }) => cell))];
    const ports = new Map(
      await Promise.all(cells.map(async (cell) => [cell, (await primaryOf(cell)).port] as const)),
    );
    const { killed } = await killUnderLoad(load);
    const local = new Set(load.answers.filter(({ fromStore }) => !fromStore).map(({ cell }) => cell));
    const lost = cells.filter((cell) => ports.get(cell) === killed.port);
    assert.deepEqual([...local].sort(), lost.sort());
  });
});
