// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { QUOTA_ALGORITHMS } from "../../core/quota/quota-definition.ts";
import { load } from "../support/load.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

// Loads two mixers on one Redis at once, each with an edge proxy: together they never admit more than the
// limit.

const LIMIT = 500;
const WINDOW_MS = 60_000;

const documents = (url: string, counting: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: redis }
spec: { adapter: redis-quota, config: { url: "${url}", timeout: 2s } }
---
kind: QuotaPolicy
metadata: { name: shared }
spec: { key: { user: 'request.headers."x-user"' }, limit: ${LIMIT}, ${counting}, store: redis, onStoreFailure: deny }
`;

const WINDOW = `window: ${WINDOW_MS / 1000}s`;

/** Every way of counting uses, as a QuotaPolicy has it. Slots of `concurrency` are free when their requests end. */
const COUNTINGS = [
  ...QUOTA_ALGORITHMS.filter((algorithm) => algorithm !== "concurrency").map((algorithm) =>
    algorithm === "allocation" ? "algorithm: allocation" : `${WINDOW}, algorithm: ${algorithm}`,
  ),
  `${WINDOW}, algorithm: fixed-window, align: first-use`,
  "period: { every: month, timeZone: Asia/Kolkata }",
];

for (const counting of COUNTINGS) {
  describe(`two mixers on one Redis, ${counting}`, function () {
    this.timeout(60_000);
    let redis: RedisServer;
    let mesh: SplitMesh;

    before(async function () {
      redis = await startRedis(this);
      mesh = await startSplitMesh({ documents: documents(redis.url, counting), mixers: 2, edges: 2 });
    });
    after(async () => {
      await mesh?.stop();
      await redis?.stop();
    });

    it("together admit at most the limit, and at least the limit less one lease for each proxy", async () => {
      // A fixed window must not end during the test.
      const leftMs = WINDOW_MS - (Date.now() % WINDOW_MS);
      if (counting.endsWith("fixed-window") && leftMs < 20_000)
        await new Promise((resolve) => setTimeout(resolve, leftMs + 50));
      this.timeout(90_000);
      const startMs = performance.now();
      const results = await Promise.all(
        mesh.edges.map((origin) =>
          load({ origin, path: "/", requests: 1_500, concurrency: 32, headers: () => ({ "x-user": "ann" }) }),
        ),
      );
      const elapsedMs = performance.now() - startMs;
      const count = (status: number): number =>
        results.reduce((sum, { statuses }) => sum + (statuses.get(status) ?? 0), 0);
      assert.deepEqual(
        results.flatMap(({ failures }) => failures),
        [],
      );
      assert.equal(
        count(200) + count(429),
        3_000,
        JSON.stringify(results.map(({ statuses }) => [...statuses])),
      );
      // A token bucket is refilled during the load.
      const refilled = counting.endsWith("token-bucket") ? Math.ceil((LIMIT * elapsedMs) / WINDOW_MS) : 0;
      assert.ok(count(200) <= LIMIT + refilled, `${count(200)} admitted`);
      assert.ok(count(200) >= LIMIT - 2 * Math.ceil(LIMIT / 10), `only ${count(200)} admitted`);
      assert.equal(count(200), mesh.upstream.received);
    });
  });
}
