// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "../../bench/machine/free-port.ts";
import type { AdapterHandler, QuotaStore } from "../../plugins/sdk/index.ts";
import { createRealTime, createTestContext, quotaRequest } from "../../plugins/sdk/testing/index.ts";
import { QuotaLoad } from "../../test/support/quota-load.ts";
import { assertEveryKeyHasTtl } from "../../test/support/redis-keys.ts";
import { type SentinelSetup, startSentinels } from "../../test/support/redis-sentinels.ts";
import { redisQuota } from "./index.ts";

const TIMEOUT_MS = 250;
/** Tolerance of waits on a busy machine. */
const LAG_MS = 250;
const PASSWORD = "sentinels-only";

describe("the adapter redis-quota with Sentinel", function () {
  this.timeout(180_000);
  let setup: SentinelSetup;
  let handler: AdapterHandler | undefined;

  before(async function () {
    setup = await startSentinels(this, { password: PASSWORD });
  });

  after(async () => {
    await setup?.stop();
  });

  afterEach(async () => {
    await handler?.close();
    handler = undefined;
  });

  const open = (config: Readonly<Record<string, unknown>> = {}): QuotaStore => {
    const { sentinels, master } = setup;
    const context = createTestContext(
      redisQuota,
      { sentinels, master, sentinelPassword: PASSWORD, timeout: `${TIMEOUT_MS}ms`, ...config },
      { time: createRealTime() },
    );
    handler = redisQuota.build(context as Parameters<typeof redisQuota.build>[0]);
    const allocate = handler.quota;
    assert.ok(allocate !== undefined);
    return { allocate: async (requests, options) => await allocate(requests, options) };
  };

  const ask = async (store: QuotaStore) => await store.allocate([quotaRequest({})], { deduplicationId: "" });

  it("counts on the primary that the Sentinels name, also when the first Sentinel is away", async () => {
    const { sentinels } = setup;
    const store = open({ sentinels: [{ host: "127.0.0.1", port: await freePort() }, ...sentinels] });
    assert.equal((await ask(store))[0]?.granted, 1);
    assert.equal(await handler?.healthy?.(), true);
  });

  it("is unavailable, within the deadline, without a Sentinel or with a name that they do not know", async () => {
    for (const config of [
      { sentinels: [{ host: "127.0.0.1", port: await freePort() }] },
      { master: "unknown" },
      { sentinelPassword: "wrong" },
    ]) {
      const store = open(config);
      for (let call = 0; call < 12; call++) {
        const startMs = performance.now();
        await assert.rejects(ask(store), (error: Error & { code?: string }) => {
          assert.equal(error.code, "PURSER_STORE_UNAVAILABLE");
          assert.ok(!error.message.includes("wrong"), error.message);
          return true;
        });
        assert.ok(performance.now() - startMs < TIMEOUT_MS + LAG_MS);
      }
      await handler?.close();
    }
  });

  it("is exact again after the primary was killed under load, and no request waits past its deadline", async () => {
    const store = open();
    const load = new QuotaLoad({ store, cells: 12, limit: 1_500 });
    await load.untilStoreDecides(1_000, 10_000);
    const killed = await setup.primary();
    await killed.kill();
    const failoverMs = performance.now();
    await sleep(300);
    await load.untilStoreDecides(500, 60_000);
    const outageMs = performance.now() - failoverMs;
    await load.untilUsedUp(30_000);
    await load.stop();
    const local = load.answers.filter(({ fromStore }) => !fromStore);
    assert.ok(local.length > 20 && local.some(({ granted }) => granted), `${local.length} decided locally`);
    const excess = load.assertExact(failoverMs);
    console.info(
      `      failover: ${Math.round(outageMs)} ms, longest wait ${Math.round(load.longestWaitMs())} ms, ` +
        `${load.count} requests, ${local.length} decided locally, ${excess} lost grants granted again`,
    );
    load.assertNoneWaited(TIMEOUT_MS + LAG_MS);
    const { port } = await setup.primary();
    assert.notEqual(port, killed.port);
    const client = new Redis(port);
    await assertEveryKeyHasTtl(client);
    client.disconnect();
  });
});
