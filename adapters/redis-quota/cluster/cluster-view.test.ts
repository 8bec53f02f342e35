// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler, CountPage, QuotaAdjustment, QuotaGrant } from "../../../plugins/sdk/index.ts";
import {
  checkQuotaView,
  createRealTime,
  createTestContext,
  quotaRequest,
} from "../../../plugins/sdk/testing/index.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { type RedisCluster, startRedisCluster } from "../../../test/support/redis-cluster.ts";
import { redisQuota } from "../index.ts";
import { createShards, shardOf } from "../shards.ts";

const PREFIX = "purser:{quota}:";
const SHARDS = 16;
const { algorithm, windowMs } = quotaRequest();

describe("the view of redis-quota in a Redis Cluster", function () {
  this.timeout(60_000);
  let cluster: RedisCluster;
  const handlers: AdapterHandler[] = [];

  before(async function () {
    cluster = await startRedisCluster(this);
  });
  after(async () => {
    await cluster?.stop();
  });
  afterEach(async () => {
    for (const handler of handlers.splice(0)) await handler.close();
    await cluster.eachPrimary((client) => client.flushall());
  });

  const open = (config: Readonly<Record<string, unknown>> = {}) => {
    const all = { cluster: cluster.addresses.slice(0, 1), timeout: "2s", ...config };
    const handler = redisQuota.build(createTestContext(redisQuota, all, { time: createRealTime() }));
    handlers.push(handler);
    const { quota, quotaView } = handler;
    assert.ok(quota !== undefined && quotaView?.shared !== undefined);
    const ask = async (cell: string, amount = 1): Promise<QuotaGrant> =>
      (await quota([quotaRequest({ cell, amount })], { deduplicationId: "" }))[0] as QuotaGrant;
    return { handler: { quota, quotaView }, view: quotaView, shared: quotaView.shared, ask };
  };

  /** All pages of a policy's counts. */
  const pagesOf = async (view: ReturnType<typeof open>["view"], policy: string, limit: number) => {
    const pages: CountPage[] = [];
    let cursor: string | undefined;
    do {
      const query = { policy, algorithm, windowMs, limit };
      const page: CountPage = await view.list(cursor === undefined ? query : { ...query, cursor });
      pages.push(page);
      cursor = page.cursor;
      assert.ok(pages.length < 1_000, "the listing does not end");
    } while (cursor !== undefined);
    return pages;
  };

  it("keeps the contract, also with names that have the marks of patterns in them", async () => {
    for (const config of [{}, { shards: 1 }, { shards: 100 }, { keyPrefix: "od[d]*:{q}:" }])
      assert.deepEqual(await checkQuotaView(open(config).handler, "view[1]?"), [], JSON.stringify(config));
  });

  it("lists the counts of all shards, each once, in pages of no more than the limit", async () => {
    const { ask, view } = open();
    const users = Array.from({ length: 1_500 }, (_, user) => user);
    const cells = users.map((user) => `mine{"user":${user}}`);
    await Promise.all([...cells, ...users.map((user) => `theirs{"user":${user}}`)].map((cell) => ask(cell)));
    const pages = await pagesOf(view, "mine", 100);
    for (const { counts } of pages) assert.ok(counts.length <= 110, `${counts.length} counts in a page`);
    const shards = pages.flatMap(({ cursor }) => (cursor === undefined ? [] : [cursor.split(".")[0]]));
    // Redis scans in steps of its own, so a page may end with the last count of a shard.
    assert.ok(new Set(shards).size > SHARDS / 2, "pages end on most shards");
    const listed = pages.flatMap(({ counts }) => counts.map(({ cell }) => cell));
    assert.deepEqual([...new Set(listed)].sort(), cells.sort());
  });

  it("goes over empty shards in few pages, and refuses a cursor of a shard that there is not", async () => {
    const { ask, view } = open();
    await ask('lonely{"user":"ada"}');
    const pages = await pagesOf(view, "lonely", 1_000);
    assert.deepEqual(
      pages.flatMap(({ counts }) => counts),
      [{ cell: 'lonely{"user":"ada"}' }],
    );
    assert.ok(pages.length <= 2, `${pages.length} pages`);
    const query = { policy: "lonely", algorithm, windowMs, limit: 1, cursor: `${SHARDS}.0` };
    await assert.rejects(async () => await view.list(query), { code: "PURSER_REQUEST_INVALID" });
  });

  it("resets a count on its shard, and no other", async () => {
    const { ask, view } = open();
    const cells = Array.from({ length: 24 }, (_, user) => `reset{"user":${user}}`);
    assert.ok(new Set(cells.map((cell) => shardOf(cell, SHARDS))).size > 8);
    const long = `reset{"user":"${"x".repeat(300)}"}`;
    for (const cell of [...cells, long]) assert.equal((await ask(cell, 3)).remaining, 7);
    for (const cell of [...cells.slice(0, 12), long]) {
      assert.equal(await view.reset({ cell, algorithm, windowMs }), "reset");
      assert.equal(await view.reset({ cell, algorithm, windowMs }), "absent");
    }
    for (const [index, cell] of cells.entries())
      assert.equal((await ask(cell, 0)).remaining, index < 12 ? 10 : 7, cell);
    assert.equal((await ask(long, 0)).remaining, 10);
  });

  it("shares blocks between mixers, at a key that does not depend on the number of shards", async () => {
    const [one, two] = [open(), open({ shards: 5 })];
    const block: QuotaAdjustment = {
      kind: "block",
      cell: 'blocked{"user":"bob"}',
      limit: 0,
      leftMs: 60_000,
      by: "127.0.0.1",
      reason: "test",
      madeAtMs: 1,
    };
    await one.shared.put(block);
    const [found, ...others] = await two.shared.all();
    assert.deepEqual([{ ...found, leftMs: block.leftMs }, others], [block, []]);
    const keys = await cluster.eachPrimary((client) => client.keys("*"));
    assert.deepEqual(keys.flat(), ["purser:{quota}:adjustments"]);
    assert.equal(await two.shared.remove("block", block.cell), true);
    assert.deepEqual(await one.shared.all(), []);
  });

  it("follows a shard that moves to another node, and sends its scripts to it", async () => {
    const { ask, view } = open();
    const cells = Array.from({ length: 200 }, (_, user) => `moving{"user":${user}}`);
    await Promise.all(cells.map((cell) => ask(cell)));
    const slot = createShards(PREFIX, SHARDS)[0]?.slot ?? 0;
    const from = await cluster.primaryOf(slot);
    const ids = await cluster.eachPrimary(async (client) => ({
      port: client.options.port,
      id: String(await client.cluster("MYID")),
    }));
    const idOf = (own: boolean) => ids.find(({ port }) => (port === from.port) === own)?.id as string;
    const slots = ["--cluster-slots", "3000", "--cluster-yes"];
    await cluster.cli("reshard", "--cluster-from", idOf(true), "--cluster-to", idOf(false), ...slots);
    assert.notEqual((await cluster.primaryOf(slot)).port, from.port);
    await eventually(async () => {
      const pages = await pagesOf(view, "moving", 100);
      const listed = new Set(pages.flatMap(({ counts }) => counts.map(({ cell }) => cell)));
      assert.equal(listed.size, 200);
    });
  });

  it("fails within its timeout while a primary is lost, and lists all again after the failover", async () => {
    const { ask, view } = open({ timeout: "300ms" });
    const cells = Array.from({ length: 50 }, (_, user) => `lost{"user":${user}}`);
    await Promise.all(cells.map((cell) => ask(cell)));
    await cluster.untilInSync();
    await eventually(async () => {
      const states = await cluster.eachPrimary((client) => client.info("replication"));
      for (const state of states) {
        const [, replica] = /slave0:.*offset=(\d+)/.exec(state) ?? [];
        assert.equal(replica, /master_repl_offset:(\d+)/.exec(state)?.[1], "the replica has the last counts");
      }
    });
    const killed = await cluster.primaryOf(createShards(PREFIX, SHARDS)[0]?.slot ?? 0);
    await killed.kill();
    const startMs = performance.now();
    const query = { policy: "lost", algorithm, windowMs, limit: 1_000 };
    await assert.rejects(async () => await view.list(query), { code: "PURSER_STORE_UNAVAILABLE" });
    assert.ok(performance.now() - startMs < 1_000);
    await eventually(
      async () => {
        const pages = await pagesOf(view, "lost", 1_000);
        const listed = new Set(pages.flatMap(({ counts }) => counts.map(({ cell }) => cell)));
        assert.equal(listed.size, 50);
      },
      { deadlineMs: 15_000 },
    );
  });
});
