// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { Pool } from "undici";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";

// Kills and restarts Redis under load: clients see each quota's onStoreFailure.

const documents = (url: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: redis }
spec: { adapter: redis-quota, config: { url: "${url}", timeout: 250ms } }
---
kind: QuotaPolicy
metadata: { name: q-deny }
spec: { match: '$contains(request.url_path, "/deny")', limit: 1000000, window: 2s, algorithm: fixed-window, lease: 0s, store: redis, onStoreFailure: deny }
---
kind: QuotaPolicy
metadata: { name: q-allow }
spec: { match: '$contains(request.url_path, "/allow")', limit: 1000000, window: 2s, algorithm: token-bucket, lease: 0s, store: redis, onStoreFailure: allow }
---
kind: QuotaPolicy
metadata: { name: q-local }
spec: { match: '$contains(request.url_path, "/local")', limit: 40, window: 60s, lease: 0s, store: redis, onStoreFailure: local }
`;

interface Seen {
  readonly path: string;
  readonly atMs: number;
  readonly tookMs: number;
  readonly status: number;
  readonly code: string | undefined;
}

describe("Redis killed and restarted under load", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let mesh: MeshProgram;
  let pool: Pool;
  const seen: Seen[] = [];
  const at = { killedMs: 0, restartedMs: 0 };

  const call = async (path: string): Promise<Seen> => {
    const atMs = performance.now();
    const { statusCode, headers, body } = await pool.request({
      path,
      method: "GET",
      headers: { host: "shop" },
    });
    await body.dump();
    return {
      path,
      atMs,
      tookMs: performance.now() - atMs,
      status: statusCode,
      code: headers["x-purser-error"] as string | undefined,
    };
  };

  before(async function () {
    redis = await startRedis(this);
    mesh = await startMesh(documents(redis.url), { flags: ["--log-level=error"] });
    pool = new Pool(mesh.edge, { connections: 16 });
    // The first requests of a cold process may take longer than the store's deadline.
    await eventually(async () => assert.equal((await call("/deny")).status, 200));
    let over = false;
    const worker = async (_: unknown, index: number): Promise<void> => {
      while (!over) {
        seen.push(await call(index % 2 === 0 ? "/deny" : "/allow"));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const workers = Promise.all(Array.from({ length: 8 }, worker));
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    await sleep(1_000);
    await redis.kill();
    at.killedMs = performance.now();
    await sleep(2_500);
    await redis.restart();
    at.restartedMs = performance.now();
    await sleep(2_500);
    over = true;
    await workers;
  });
  after(async () => {
    await pool?.close();
    await mesh?.stop();
    await redis?.stop();
  });

  const during = (path: string): readonly Seen[] =>
    seen.filter(
      (one) =>
        one.path === path && one.atMs > at.killedMs + 200 && one.atMs + one.tookMs < at.restartedMs - 200,
    );
  const statuses = (some: readonly Seen[]): number[] => [...new Set(some.map(({ status }) => status))];

  it("goes unnoticed before the kill", () => {
    assert.deepEqual(statuses(seen.filter(({ atMs, tookMs }) => atMs + tookMs < at.killedMs - 100)), [200]);
  });

  it("refuses, as an error and not as a used-up quota, where onStoreFailure is deny", () => {
    assert.ok(during("/deny").length > 10);
    assert.deepEqual(statuses(during("/deny")), [503]);
    assert.deepEqual([...new Set(during("/deny").map(({ code }) => code))], ["PURSER_STORE_UNAVAILABLE"]);
  });

  it("forwards where onStoreFailure is allow", () => {
    assert.ok(during("/allow").length > 10);
    assert.deepEqual(statuses(during("/allow")), [200]);
  });

  it("delays no request beyond the store's deadline", () => {
    // The adapter's deadline is 250 ms, more than a busy machine pauses for; the rest allows for the pause.
    const slow = seen.filter(({ tookMs }) => tookMs > 500);
    assert.deepEqual(slow, []);
  });

  it("serves again within 2 s of its restart", () => {
    const late = seen.filter(({ atMs }) => atMs > at.restartedMs + 2_000);
    assert.ok(late.length > 20);
    assert.deepEqual(statuses(late), [200]);
  });

  it("leaves no key without a time to live", async () => {
    await call("/local");
    const client = new Redis(redis.url);
    const keys = await client.keys("*");
    assert.ok(keys.length >= 3, `${keys.length} keys`);
    for (const key of keys) assert.ok((await client.pttl(key)) > 0, key);
    client.disconnect();
  });

  it("counts in the process where onStoreFailure is local, and delays no request for a Redis that hangs", async () => {
    redis.pause();
    const answers: Seen[] = [];
    for (let i = 0; i < 60; i++) answers.push(await call("/local"));
    redis.resume();
    assert.deepEqual(statuses(answers), [200, 429]);
    assert.equal(answers.filter(({ status }) => status === 200).length, 40);
    assert.ok(
      answers.every(({ tookMs }) => tookMs < 500),
      `${Math.max(...answers.map(({ tookMs }) => tookMs))} ms`,
    );
  });
});
