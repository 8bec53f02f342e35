// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { AdapterHandler, PurserError, QuotaGrant, QuotaStore } from "../../plugins/sdk/index.ts";
import {
  createRealTime,
  createTestContext,
  quotaRequest,
  type TestContext,
} from "../../plugins/sdk/testing/index.ts";
import { QuotaLoad } from "../../test/support/quota-load.ts";
import { uniqueName } from "../../test/support/quota-store-suite.ts";
import { assertEveryKeyHasTtl } from "../../test/support/redis-keys.ts";
import { type RedisServer, startRedis } from "../../test/support/redis-server.ts";
import { freePort } from "../../bench/machine/free-port.ts";
import { redisQuota } from "./index.ts";

const TIMEOUT_MS = 100;
const { windowMs: WINDOW_MS } = quotaRequest();
/** Tolerance of waits on a busy machine. */
const LAG_MS = 150;

interface Outcome {
  readonly grant?: QuotaGrant;
  readonly error?: PurserError;
  readonly tookMs: number;
}

describe("the adapter redis-quota, when Redis fails", () => {
  let server: RedisServer;
  let handler: AdapterHandler;
  let context: TestContext<unknown, ReturnType<typeof createRealTime>>;

  const build = (config: Readonly<Record<string, unknown>>) => {
    context = createTestContext(
      redisQuota,
      { timeout: `${TIMEOUT_MS}ms`, ...config },
      { time: createRealTime() },
    );
    handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
  };

  const storeOf = ({ quota }: AdapterHandler): QuotaStore => {
    assert.ok(quota !== undefined);
    return { allocate: async (requests, options) => await quota(requests, options) };
  };

  const ask = async (changes: Parameters<typeof quotaRequest>[0] = {}): Promise<Outcome> => {
    const startMs = performance.now();
    try {
      const requests = [quotaRequest({ cell: "failure", limit: 1_000_000, ...changes })];
      const grants = await handler.quota?.(requests, { deduplicationId: uniqueName("call") });
      return {
        ...(grants?.[0] === undefined ? {} : { grant: grants[0] }),
        tookMs: performance.now() - startMs,
      };
    } catch (error) {
      return { error: error as PurserError, tookMs: performance.now() - startMs };
    }
  };

  const assertUnavailable = ({ error, tookMs }: Outcome, pattern: RegExp) => {
    assert.equal(error?.code, "PURSER_STORE_UNAVAILABLE", String(error));
    assert.equal(error.retryable, true);
    assert.match(error.message, pattern);
    assert.ok(tookMs < TIMEOUT_MS + LAG_MS, `took ${tookMs} ms`);
  };

  /** Time until a call succeeds, in milliseconds. */
  const untilServed = async (): Promise<number> => {
    const startMs = performance.now();
    while (performance.now() - startMs < 5_000) {
      const { grant, tookMs } = await ask();
      assert.ok(tookMs < TIMEOUT_MS + LAG_MS, `took ${tookMs} ms`);
      if (grant !== undefined) return performance.now() - startMs;
      await sleep(10);
    }
    throw new Error("not served again within 5 s");
  };

  before(async function () {
    server = await startRedis(this);
  });

  after(async () => {
    await server?.stop();
  });

  afterEach(async () => {
    server?.resume();
    await handler?.close();
    assert.equal(context.time.scheduled, 0);
    const control = new Redis(server.port, server.host);
    await assertEveryKeyHasTtl(control);
    control.disconnect();
  });

  it("is built when nothing listens, is unavailable, and logs that once", async () => {
    build({ port: await freePort() });
    for (let call = 0; call < 20; call++) assertUnavailable(await ask(), /ECONNREFUSED|not called after/);
    assert.equal(await handler.healthy?.(), false);
    assert.deepEqual(
      context.logger.lines.map(({ level, message }) => `${level}: ${message}`),
      ["warn: redis is unavailable"],
    );
  });

  it("stops calling a Redis that failed several times, so that calls fail at once", async () => {
    build({ url: server.url });
    await ask();
    server.pause();
    const waits: number[] = [];
    for (let call = 0; call < 12; call++) {
      const outcome = await ask();
      assertUnavailable(outcome, /did not answer within 100 ms|not called after/);
      waits.push(outcome.tookMs);
    }
    assert.ok(
      waits.filter((tookMs) => tookMs < 20).length >= 5,
      `waited ${waits.map(Math.round).join(", ")} ms`,
    );
  });

  it("answers again within a second after Redis hung for a while", async () => {
    build({ url: server.url });
    await ask();
    server.pause();
    for (let call = 0; call < 8; call++) assertUnavailable(await ask(), /did not answer|not called after/);
    server.resume();
    assert.ok((await untilServed()) < 1_000);
  });

  it("waits no longer than its timeout while a connection is being made to one that hangs", async () => {
    build({ url: server.url });
    server.pause();
    assertUnavailable(await ask(), /did not answer within 100 ms/);
    assert.equal(await handler.healthy?.(), false);
  });

  it("replaces a connection whose peer vanished silently", async () => {
    build({ url: server.url });
    await ask();
    const control = new Redis(server.port, server.host);
    const idOf = async () => /id=(\d+) [^\n]*name=purser/.exec(String(await control.client("LIST")))?.[1];
    const before = await idOf();
    server.pause();
    const untilMs = performance.now() + 1_600;
    while (performance.now() < untilMs) {
      await ask();
      await sleep(20);
    }
    server.resume();
    await untilServed();
    assert.notEqual(await idOf(), before);
    control.disconnect();
  }).timeout(10_000);

  it("answers again within 1.5 s of a restart, sends its script again, and leaves no key without a TTL", async () => {
    build({ url: server.url });
    await ask();
    await server.kill();
    const outage = Date.now() + 700;
    while (Date.now() < outage) {
      const outcome = await ask();
      assertUnavailable(outcome, /failed|not called after|did not answer/);
      await sleep(5);
    }
    await server.restart();
    assert.ok((await untilServed()) < 1_500);
    assert.equal(await handler.healthy?.(), true);
    assert.deepEqual(
      context.logger.lines.map(({ message }) => message),
      ["redis is unavailable", "redis is available again"],
    );
  });

  it("sends its script again whenever the server lost it, under load", async () => {
    build({ url: server.url });
    const load = new QuotaLoad({ store: storeOf(handler), cells: 8, limit: 200 });
    const control = new Redis(server.port, server.host);
    for (let flush = 0; flush < 10; flush++) {
      await sleep(20);
      await control.script("FLUSH");
    }
    control.disconnect();
    await load.untilUsedUp(20_000);
    await load.stop();
    assert.ok(load.answers.every(({ fromStore }) => fromStore));
    assert.equal(load.assertExact(), 0);
  }).timeout(30_000);

  it("counts on the server's clock, whatever the mixer's clock says", async () => {
    const time = createRealTime();
    let jumpMs = 0;
    const clock = {
      ...time.clock,
      nowMs: () => Date.now() + jumpMs,
      monotonicMs: () => time.clock.monotonicMs(),
    };
    context = createTestContext(redisQuota, { url: server.url }, { time: { ...time, clock } });
    handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
    for (const algorithm of ["fixed-window", "sliding-window", "token-bucket"] as const) {
      const demand = { cell: uniqueName("clock"), algorithm, limit: 5, windowMs: 36_000_000 };
      let granted = 0;
      for (const days of [0, 1, -1, 400, -400, 0, 30, -30]) {
        jumpMs = days * 24 * 3_600_000;
        granted += (await ask(demand)).grant?.granted ?? 0;
      }
      assert.equal(granted, 5, algorithm);
    }
  });

  it("rejects the calls under way when the connection breaks", async () => {
    build({ url: server.url, timeout: "5s" });
    await ask();
    server.pause();
    const calls = Array.from({ length: 10 }, () => ask());
    await sleep(20);
    await server.kill();
    for (const { error, tookMs } of await Promise.all(calls)) {
      assert.equal(error?.code, "PURSER_STORE_UNAVAILABLE");
      assert.ok(tookMs < 1_000, `took ${tookMs} ms`);
    }
    await server.restart();
  });

  it("reports Redis' refusal, and continues when Redis accepts calls again", async () => {
    build({ url: server.url });
    const control = new Redis(server.port, server.host);
    const used = Number(/used_memory:(\d+)/.exec(await control.info("memory"))?.[1]);
    await control.config("SET", "maxmemory", `${Math.max(1, used - 100_000)}`);
    assertUnavailable(await ask(), /OOM/);
    await control.config("SET", "maxmemory", "0");
    assert.equal((await ask()).grant?.granted, 1);
    await control.replicaof("127.0.0.1", 1);
    assertUnavailable(await ask({ cell: uniqueName("cell") }), /READONLY/);
    await control.replicaof("NO", "ONE");
    assert.ok((await untilServed()) < 1_000);
    control.disconnect();
  });

  it("reports a key with a foreign value, and serves all other keys", async () => {
    build({ url: server.url });
    const control = new Redis(server.port, server.host);
    const cell = uniqueName("foreign");
    await control.rpush(`purser:{quota}:fixed-window:${WINDOW_MS}:${cell}`, "x");
    for (let call = 0; call < 10; call++) {
      const [foreign, sound] = await Promise.all([ask({ cell }), ask()]);
      assert.match(foreign.error?.message ?? "", /WRONGTYPE/);
      assert.equal(foreign.error?.retryable, false);
      assert.equal(sound.grant?.granted, 1);
    }
    await control.del(`purser:{quota}:fixed-window:${WINDOW_MS}:${cell}`);
    control.disconnect();
  });

  it("refuses more calls than it could answer", async () => {
    build({ url: server.url, timeout: "300ms" });
    await ask();
    server.pause();
    const errors = (await Promise.all(Array.from({ length: 10_100 }, () => ask()))).map(
      ({ error }) => error?.message,
    );
    assert.equal(errors.filter((message) => message?.includes("10000 calls under way")).length, 100);
  });

  it("rejects calls under way and later calls when it is closed, and can be closed twice", async () => {
    build({ url: server.url, timeout: "5s" });
    await ask();
    server.pause();
    const underWay = ask();
    await sleep(20);
    const alsoUnderWay = ask();
    await handler.close();
    await handler.close();
    for (const { error, tookMs } of [await underWay, await alsoUnderWay, await ask()]) {
      assert.equal(error?.code, "PURSER_STORE_UNAVAILABLE");
      assert.match(error?.message ?? "", /was closed/);
      assert.ok(tookMs < 200, `took ${tookMs} ms`);
    }
    assert.equal(await handler.healthy?.(), false);
  });
});
