// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { QuotaListing, TopListing } from "../../api/quota-operations.ts";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { load } from "../support/load.ts";
import { purser } from "../support/program.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

// Two mixers on one Redis, each with an edge proxy: an operator who asks one mixer with `purser quotas` sees and changes what both count.

const LIMIT = 2_000;
const LEASE_MS = 500;
/** Time in which a mixer reads what another one has written; see mixer/runtime/quota/adjustment-refresh.ts. */
const REFRESH_MS = 1_000;
/** Room for a busy machine. */
const SLACK_MS = 700;

const documents = (url: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: redis }
spec: { adapter: redis-quota, config: { url: "${url}", timeout: 2s } }
---
kind: QuotaPolicy
metadata: { name: per-user }
spec:
  key: { user: request.headers."x-user" }
  limit: ${LIMIT}
  window: 1h
  lease: ${LEASE_MS}ms
  store: redis
  onStoreFailure: deny
`;

describe("an operator of two mixers on one Redis", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let mesh: SplitMesh;

  before(async function () {
    redis = await startRedis(this);
    mesh = await startSplitMesh({ documents: documents(redis.url), mixers: 2, edges: 2 });
  });
  after(async () => {
    await mesh?.stop();
    await redis?.stop();
  });

  /** Runs `purser quotas` against a mixer; returns standard output. */
  const quotas = async (mixer: number, ...args: readonly string[]): Promise<string> => {
    const program = purser("quotas", ...args, "--mixer", mesh.mixers[mixer] as string);
    const code = await program.ended();
    assert.equal(code, 0, program.errors());
    return program.output();
  };
  const change = (mixer: number, action: string, user: string, ...more: readonly string[]) =>
    quotas(mixer, action, "per-user", "--key", `user=${user}`, "--reason", "a test", ...more);
  const used = async (mixer: number, user: string): Promise<number> => {
    const text = await quotas(mixer, "list", "--key", `user=${user}`, "--json");
    return (JSON.parse(text) as QuotaListing).policies[0]?.counts[0]?.used ?? -1;
  };
  const ask = async (
    edge: number,
    user: string,
  ): Promise<{ readonly status: number; readonly retryAfterS: number }> => {
    const { statusCode, headers, body } = await request(`${mesh.edges[edge]}/`, {
      headers: { host: "shop", "x-user": user },
    });
    await body.dump();
    return { status: statusCode, retryAfterS: Number(headers["retry-after"]) };
  };
  const statusOf = async (edge: number, user: string): Promise<number> => (await ask(edge, user)).status;

  it("sees counts and top keys, and resets a count", async () => {
    for (const [user, requests] of [
      ["ann", 60],
      ["bob", 20],
      ["eve", 5],
    ] as const)
      await load({
        origin: mesh.edges[0] as string,
        path: "/",
        requests,
        concurrency: 4,
        headers: () => ({ "x-user": user }),
      });
    // Unused leases go back.
    await eventually(async () => assert.equal(await used(1, "ann"), 60));
    const listing = JSON.parse(await quotas(1, "list", "--json")) as QuotaListing;
    const [policy] = listing.policies;
    assert.deepEqual([policy?.store, policy?.shared, policy?.limit], ["redis", true, LIMIT]);
    await eventually(async () => {
      const { policies } = JSON.parse(await quotas(1, "list", "--json")) as QuotaListing;
      assert.deepEqual(
        policies[0]?.counts.map(({ key, used: amount, remaining }) => [key?.["user"], amount, remaining]),
        [
          ["ann", 60, LIMIT - 60],
          ["bob", 20, LIMIT - 20],
          ["eve", 5, LIMIT - 5],
        ],
      );
    });
    const top = JSON.parse(await quotas(0, "top", "--json")) as TopListing;
    const entries = top.policies[0]?.periods[0]?.charged.entries ?? [];
    assert.equal(entries[0]?.key, 'per-user{"user":"ann"}');
    assert.ok((entries[0]?.amount ?? 0) >= 60, "leases count as they are granted");
    await change(1, "reset", "ann");
    assert.equal(await used(0, "ann"), 0);
    assert.equal(await used(0, "bob"), 20);
  });

  it("blocks a key at both mixers, within a lease and a refresh, and unblocks it", async () => {
    const user = "mallory";
    // The proxies hold leases, and decide by cached decisions.
    const busy = mesh.edges.map((origin) =>
      load({ origin, path: "/", requests: 400, concurrency: 8, headers: () => ({ "x-user": user }) }),
    );
    const warm = await Promise.all(busy);
    assert.ok(warm.every(({ statuses }) => statuses.get(200) === 400));
    await change(0, "block", user, "--for", "1h");
    const blockedAtMs = performance.now();
    let lastAllowedMs = 0;
    const seen = new Set<number>();
    while (performance.now() - blockedAtMs < LEASE_MS + REFRESH_MS + 2 * SLACK_MS) {
      const [first, second] = await Promise.all([statusOf(0, user), statusOf(1, user)]);
      seen.add(first).add(second);
      if (first === 200 || second === 200) lastAllowedMs = performance.now() - blockedAtMs;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.ok(
      lastAllowedMs <= LEASE_MS + REFRESH_MS + SLACK_MS,
      `allowed ${lastAllowedMs} ms after the block`,
    );
    const { status, retryAfterS } = await ask(1, user);
    assert.equal(status, 429);
    assert.ok(retryAfterS > 3_500 && retryAfterS <= 3_600, `Retry-After: ${retryAfterS}`);
    assert.equal(await statusOf(1, "ann"), 200);

    assert.match(
      await quotas(1, "list"),
      /^block\tper-user\t{"user":"mallory"}\t0\t\d+\tstore\t127\.0\.0\.1\ta test$/m,
    );
    await change(1, "unblock", user);
    for (const edge of [0, 1]) await eventually(async () => assert.equal(await statusOf(edge, user), 200));
  });

  it("raises a key's limit for a time, for a mixer that is started later too", async () => {
    const user = "zoe";
    await change(0, "raise", user, "--limit", `${LIMIT + 300}`, "--for", "1h");
    await mesh.killMixer(1);
    await mesh.startMixer(1);
    await eventually(async () =>
      assert.match(await quotas(1, "list"), /^raise\tper-user\t{"user":"zoe"}\t2300\t/m),
    );
    const { statuses } = await load({
      origin: mesh.edges[1] as string,
      path: "/",
      requests: LIMIT + 500,
      concurrency: 16,
      headers: () => ({ "x-user": user }),
    });
    const allowed = statuses.get(200) ?? 0;
    assert.ok(allowed > LIMIT && allowed <= LIMIT + 300, `${allowed} allowed`);
    const lines = (await quotas(0, "audit")).trim().split("\n");
    assert.deepEqual(
      lines.map((line) => line.split("\t")[1]),
      ["raise", "block"],
    );
  });
});
