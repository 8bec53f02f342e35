// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { AdapterHandler, CountPage, QuotaAdjustment, QuotaView } from "../../plugins/sdk/index.ts";
import {
  checkQuotaView,
  createRealTime,
  createTestContext,
  quotaRequest,
  startFakeBackend,
} from "../../plugins/sdk/testing/index.ts";
import { demandOf } from "../../core/quota/demand.ts";
import type { QuotaRequest } from "../../core/quota/quota.ts";
import type { QuotaCounting } from "../../core/quota/quota-definition.ts";
import { charge as chargeOf } from "../../test/support/quota-charges.ts";
import { POLICY_COUNTINGS } from "../../test/support/quota-countings.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { redisQuota } from "./index.ts";

const { algorithm, windowMs } = quotaRequest();

const BLOCK: QuotaAdjustment = {
  kind: "block",
  cell: "p{}",
  limit: 0,
  leftMs: 60_000,
  by: "127.0.0.1",
  reason: "test",
  madeAtMs: 1,
};

describe("the view of redis-quota", () => {
  let server: RedisServer;
  let client: Redis;
  const handlers: AdapterHandler[] = [];

  before(async function () {
    server = await startRedis(this);
    client = new Redis(server.port, server.host);
  });
  after(async () => {
    for (const handler of handlers) await handler.close();
    client?.disconnect();
    await server?.stop();
  });
  beforeEach(async () => {
    await client.flushall();
  });

  const open = (config: Readonly<Record<string, unknown>> = {}) => {
    const all = { url: server.url, timeout: "2s", ...config };
    const handler = redisQuota.build(createTestContext(redisQuota, all, { time: createRealTime() }));
    handlers.push(handler);
    return handler as Required<Pick<AdapterHandler, "quota" | "quotaView">>;
  };
  const shared = (view: QuotaView) => {
    assert.ok(view.shared !== undefined);
    return view.shared;
  };

  it("keeps the contract, with names that have the marks of patterns in them", async () => {
    const handler = open({ keyPrefix: "od[d]*:{q}:" });
    assert.deepEqual(await checkQuotaView(handler, "view[1]?"), []);
  });

  it("tells the counts of one key by their ways of counting", async () => {
    const { quota, quotaView } = open();
    const allocate = async (requests: readonly QuotaRequest[]) =>
      await quota(requests, { deduplicationId: "" });
    const requests = POLICY_COUNTINGS.map(
      (counting) =>
        demandOf(chargeOf("p", counting), { name: "redis", allocate }, { nowMs: Date.now() }).request,
    );
    await allocate(requests);
    const isListed = async (counting: QuotaCounting) =>
      (await quotaView.list({ policy: "p", ...counting, limit: 100 })).counts.length === 1;
    for (const counting of POLICY_COUNTINGS) {
      assert.ok(await isListed(counting));
      assert.equal(await quotaView.reset({ cell: "p{}", ...counting }), "reset");
      assert.ok(!(await isListed(counting)));
    }
    assert.deepEqual(await client.keys("*"), []);
  });

  it("lists every one of many counts among those of others, in pages of no more than the limit", async () => {
    const { quota, quotaView } = open();
    const charge = async (policy: string, count: number): Promise<void> => {
      const cells = Array.from({ length: count }, (_, user) => `${policy}{"user":${user}}`);
      await Promise.all(
        cells.map(async (cell) => await quota([quotaRequest({ cell })], { deduplicationId: "" })),
      );
    };
    await charge("mine", 1_500);
    await charge("theirs", 1_500);
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const query = { policy: "mine", algorithm, windowMs, limit: 100 };
      const page: CountPage = await quotaView.list(cursor === undefined ? query : { ...query, cursor });
      assert.ok(page.counts.length <= 110, `${page.counts.length} counts in a page`);
      for (const { cell } of page.counts) seen.add(cell);
      cursor = page.cursor;
    } while (cursor !== undefined);
    assert.equal(seen.size, 1_500);
    for (const unknown of ["x", "0", "1.0", "0.x", "-1.0"]) {
      await assert.rejects(
        async () => await quotaView.list({ policy: "mine", algorithm, windowMs, limit: 1, cursor: unknown }),
        { code: "PURSER_REQUEST_INVALID" },
        unknown,
      );
    }
  });

  it("shares adjustments between mixers, in a hash with a time to live", async () => {
    const [one, two] = [shared(open().quotaView), shared(open().quotaView)];
    await one.put(BLOCK);
    const [found, ...others] = await two.all();
    assert.ok((found?.leftMs ?? 0) > 59_000);
    assert.deepEqual([{ ...found, leftMs: BLOCK.leftMs }, others], [BLOCK, []]);
    const ttlMs = async (): Promise<number> => await client.pttl("purser:{quota}:adjustments");
    assert.ok((await ttlMs()) > 59_000 && (await ttlMs()) <= 61_000);
    await one.put({ ...BLOCK, leftMs: 5_000 });
    assert.ok((await ttlMs()) <= 6_000);
    assert.equal(await two.remove("block", "p{}"), true);
    assert.equal(await client.exists("purser:{quota}:adjustments"), 0);
  });

  it("refuses more adjustments than it may keep, and passes over foreign fields", async () => {
    const adjustments = shared(open().quotaView);
    const key = "purser:{quota}:adjustments";
    const ends = Date.now() + 60_000;
    const rest = JSON.stringify({ limit: 0, by: "", reason: "", madeAtMs: 0 });
    const fields = Array.from({ length: 997 }, (_, user) => [
      `block p{"user":${user}}`,
      `${ends} ${rest}`,
    ]).flat();
    await client.hset(
      key,
      ...fields,
      "foreign",
      `${ends} {}`,
      "block a{}",
      `${ends} {`,
      "raise b{}",
      `${ends} {}`,
    );
    await client.hset(key, "block over{}", `1 ${rest}`, "block text{}", "foreign");
    assert.equal((await adjustments.all()).length, 997);
    await assert.rejects(async () => await adjustments.put(BLOCK), { code: "PURSER_QUOTA_ADJUSTMENTS_FULL" });
    await adjustments.remove("block", 'p{"user":1}');
    await adjustments.put(BLOCK);
  });

  it("fails within its timeout when Redis does not answer, and at once when it refuses", async () => {
    const backend = await startFakeBackend(() => {});
    try {
      const { host, port } = backend.address;
      const { quotaView } = open({ url: `redis://${host}:${port}`, timeout: "100ms" });
      const startMs = performance.now();
      await assert.rejects(async () => await shared(quotaView).all(), {
        code: "PURSER_STORE_UNAVAILABLE",
        message: /did not answer within 100 ms/,
      });
      assert.ok(performance.now() - startMs < 1_500);
    } finally {
      await backend.close();
    }
    await client.set("purser:{quota}:adjustments", "text");
    await assert.rejects(async () => await shared(open().quotaView).all(), {
      code: "PURSER_STORE_UNAVAILABLE",
    });
  });
});
