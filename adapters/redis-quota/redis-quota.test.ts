// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { Redis } from "ioredis";
import type { AdapterHandler, QuotaGrant, QuotaRequest, QuotaStore } from "../../plugins/sdk/index.ts";
import {
  createRealTime,
  createTestContext,
  describeAdapterContract,
  quotaRequest,
} from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { findExcess, type Use } from "../../test/support/quota-log.ts";
import { COUNTER_KINDS, selectorOf, WINDOW_KINDS } from "../../test/support/quota-countings.ts";
import { describeQuotaStore, uniqueName } from "../../test/support/quota-store-suite.ts";
import { assertEveryKeyHasTtl } from "../../test/support/redis-keys.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { redisQuota } from "./index.ts";

/** This store never answers synchronously. */
interface Store extends QuotaStore {
  allocate(...call: Parameters<QuotaStore["allocate"]>): Promise<readonly QuotaGrant[]>;
}

/** A server that answers every command with the same line. */
const replies = (line: string) => (socket: Socket) =>
  void socket.on("data", (data) => {
    const commands = data.toString("latin1").match(/^\*\d+\r$/gm) ?? [];
    socket.write(`${line}\r\n`.repeat(commands.length));
  });

describeAdapterContract(redisQuota, {
  backend: {
    config: ({ host, port }) => ({ host, port, timeout: "200ms" }),
    permanent: replies("-NOAUTH Authentication required."),
    retryable: replies("-BUSY Redis is busy running a script."),
  },
});

describe("the adapter redis-quota", () => {
  let server: RedisServer;
  let client: Redis;
  const handlers: AdapterHandler[] = [];

  before(async function () {
    server = await startRedis(this);
    client = new Redis(server.port, server.host);
  });

  afterEach(async () => {
    await assertEveryKeyHasTtl(client);
  });

  after(async () => {
    for (const handler of handlers) await handler.close();
    client?.disconnect();
    await server?.stop();
  });

  /** A store with a connection of its own, like that of another mixer. */
  const open = (config: Readonly<Record<string, unknown>> = {}): Store => {
    const context = createTestContext(
      redisQuota,
      { url: server.url, timeout: "2s", ...config },
      { time: createRealTime() },
    );
    const handler = redisQuota.build(context);
    handlers.push(handler);
    assert.ok(handler.quota !== undefined);
    const allocate = handler.quota;
    return { allocate: async (requests, options) => await allocate(requests, options) };
  };

  describe("with one mixer", () => {
    let store: Store;
    before(() => {
      store = open();
    });
    describeQuotaStore("as a quota store", () => ({ store, wait: (durationMs) => sleep(durationMs) }));
  });

  describe("with two mixers", () => {
    for (const kind of WINDOW_KINDS) {
      it(`never admits more than the limit by ${kind}, with any callers and any frequency`, async () => {
        const [limit, windowMs] = [40, 400];
        const cell = uniqueName("shared");
        const request = (): QuotaRequest => ({
          cell,
          ...selectorOf(kind, windowMs, Date.now()),
          limit,
          amount: 1,
          bestEffort: false,
          leaseMs: 0,
        });
        const uses: Use[] = [];
        const sinceMs = Date.now();
        const untilMs = sinceMs + 700;
        const asker = async (store: Store) => {
          while (Date.now() < untilMs) {
            const sentMs = Date.now();
            const [grant] = await store.allocate([request()], { deduplicationId: uniqueName("call") });
            if (grant?.granted === 1) uses.push({ atMs: sentMs, amount: 1 });
            await sleep(2);
          }
        };
        const stores = [open(), open()];
        await Promise.all(stores.flatMap((store) => Array.from({ length: 8 }, () => asker(store))));
        assert.ok(uses.length > limit, `only ${uses.length} uses`);
        // The clocks are equal, but a decision falls somewhere between sending and receiving: two decisions
        // may be nearer than they look. The use over the whole time is exact nevertheless.
        const tolerant = windowMs - 100;
        if (kind === "sliding-window" || kind === "sliding-log")
          assert.equal(findExcess(kind, uses, limit, tolerant), undefined);
        const windows = Math.ceil((Date.now() - sinceMs) / windowMs) + 1;
        assert.ok(uses.length <= limit * windows, `${uses.length} uses in ${windows} windows`);
      });
    }

    for (const kind of COUNTER_KINDS) {
      it(`grants exactly the limit to a burst by ${kind}`, async () => {
        const stores = [open(), open()];
        const request = quotaRequest({
          cell: uniqueName("burst"),
          ...selectorOf(kind, 36_000_000, Date.now()),
          limit: 300,
        });
        const calls = Array.from({ length: 800 }, (_, index) =>
          (stores[index % 2] as Store).allocate([request], { deduplicationId: uniqueName("call") }),
        );
        const grants = (await Promise.all(calls)).flat();
        assert.equal(grants.filter((grant) => grant.granted === 1).length, 300);
      });
    }
  });

  it("gives every key a TTL after every operation", async () => {
    const store = open({ keyPrefix: "ttl:{quota}:" });
    for (let round = 0; round < 100; round++) {
      const windowMs = [700, 60_000, 86_400_000][round % 3] as number;
      const call = COUNTER_KINDS.map((kind, index) =>
        quotaRequest({
          cell: `cell-${round % 7}`,
          ...selectorOf(kind, windowMs, Date.now()),
          limit: 20,
          amount: [3, -2, 0, 25][(round + index) % 4] as number,
          bestEffort: round % 2 === 0,
          leaseMs: (round % 5) * 100,
          slot: 1,
        }),
      );
      await store.allocate(call, { deduplicationId: round % 4 === 0 ? "" : `call-${round}` });
    }
    const keys = await client.keys("ttl:{quota}:*");
    assert.ok(keys.length > 80, `${keys.length} keys`);
    for (const key of keys) {
      const ttlMs = await client.pttl(key);
      // -2: the key has expired meanwhile.
      assert.ok(
        ttlMs === -2 || (ttlMs > 0 && ttlMs <= (key.includes("allocation") ? 30 : 2) * 86_400_000 + 1_000),
        `${key} has a TTL of ${ttlMs}`,
      );
    }
  });

  it("puts the hash tag of its prefix into all keys, and hashes long names", async () => {
    const store = open({ keyPrefix: "names:{mesh-quota}:" });
    const cells = ["short", "{tag}", `long-${"x".repeat(10_000)}`];
    await store.allocate(
      cells.map((cell) => quotaRequest({ cell })),
      { deduplicationId: "y".repeat(10_000) },
    );
    const keys = await client.keys("names:*");
    assert.equal(keys.length, 4);
    for (const key of keys) {
      assert.equal(/^[^{]*\{([^}]+)\}/.exec(key)?.[1], "mesh-quota", key);
      assert.ok(key.length < 350);
    }
  });

  it("connects when it is built, before any call", async () => {
    const connections = async (): Promise<number> =>
      String(await client.client("LIST")).split(" name=purser ").length - 1;
    const before = await connections();
    open();
    await eventually(async () => assert.equal(await connections(), before + 1));
  });

  it("decides the calls of one turn of the loop in few round trips", async () => {
    const store = open();
    await store.allocate([], { deduplicationId: "" });
    const runs = async () =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await client.info("commandstats"))?.[1]);
    const before = await runs();
    await Promise.all(
      Array.from({ length: 640 }, (_, index) =>
        store.allocate([quotaRequest({ cell: `batch-${index}` })], { deduplicationId: "" }),
      ),
    );
    assert.equal((await runs()) - before, 5);
  });

  describe("its configuration", () => {
    const build = (config: Readonly<Record<string, unknown>>) =>
      redisQuota.build(createTestContext(redisQuota, config, { time: createRealTime() }));

    it("refuses a prefix without a hash tag", () => {
      for (const keyPrefix of ["purser:", "purser:{}", "{a}{b}"])
        assert.throws(() => build({ keyPrefix }), TypeError);
    });

    it("refuses an address given twice or in another form, without showing it", () => {
      const secret = "s3cr3t";
      for (const config of [
        { url: `redis://:${secret}@127.0.0.1`, port: 6379 },
        { url: `http://:${secret}@127.0.0.1` },
        { url: `redis://:${secret}@127.0.0.1/db` },
        { url: `redis://:${secret}@[` },
      ]) {
        assert.throws(
          () => build(config),
          (error: Error & { code?: string }) =>
            error.code === "PURSER_HANDLER_BUILD" && !error.message.includes(secret),
        );
      }
    });

    it("logs in, and chooses the database", async () => {
      const user = uniqueName("user");
      await client.acl("SETUSER", user, "on", ">p@ss/word", "~*", "+@all");
      const store = open({ url: `redis://${user}:p%40ss%2Fword@127.0.0.1:${server.port}/3` });
      const cell = uniqueName("elsewhere");
      assert.equal((await store.allocate([quotaRequest({ cell })], { deduplicationId: "" }))[0]?.granted, 1);
      assert.deepEqual(await client.keys(`*${cell}`), []);
    });

    it("never shows the password when it is refused", async () => {
      const password = "correct-horse-battery";
      const context = createTestContext(
        redisQuota,
        { host: "127.0.0.1", port: server.port, username: "nobody", password },
        { time: createRealTime() },
      );
      const handler = redisQuota.build(context);
      handlers.push(handler);
      const error: unknown = await Promise.resolve(
        handler.quota?.([quotaRequest({})], { deduplicationId: "" }),
      ).catch((reason: unknown) => reason);
      assert.ok(error instanceof Error && /WRONGPASS/.test(error.message), String(error));
      assert.equal((error as { retryable?: unknown }).retryable, false);
      assert.equal(await handler.healthy?.(), false);
      const shown = inspect([error, context.logger], { depth: 20, showHidden: true });
      assert.ok(shown.includes("WRONGPASS"));
      assert.ok(!shown.includes(password), shown);
    });

    it("does not count in another database when the configured one does not exist", async () => {
      const store = open({ url: `${server.url}/4000` });
      await assert.rejects(store.allocate([quotaRequest({})], { deduplicationId: "" }), {
        code: "PURSER_STORE_UNAVAILABLE",
        retryable: false,
      });
    });
  });
});
