// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { createMixer } from "../../mixer/mixer.ts";
import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createSeededRandom,
  createVirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import type { CheckResult } from "../../proxy/policy/check-result.ts";
import { createPolicyClient } from "../../proxy/policy/policy-client.ts";
import { accessPolicy, expression, quotaPolicy, snapshotOf } from "../support/snapshots.ts";

// A mixer and a proxy's policy client on virtual time: when an operator's change of a quota takes effect in a proxy that holds leases and
// cached decisions.

const BAG: AttributeBag = { request: { method: "GET" } };
const LEASE_MS = 1_000;
/** The longest time for which a proxy repeats a refusal by itself; see proxy/policy/leases/lease-pool.ts. */
const REFUSAL_MS = 1_000;

async function setUp(fields: Parameters<typeof quotaPolicy>[1] = {}) {
  const time = createVirtualTime();
  const runtime = {
    clock: time.clock,
    scheduler: time.scheduler,
    random: createSeededRandom(),
    logger: createCollectingLogger(),
  };
  const mixer = createMixer({
    ...runtime,
    files: () => createMemoryFiles(),
    http: () => createHttpClient(time.clock),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
  });
  // The decision is cached for ever: only the quota can refuse.
  const quota = quotaPolicy("q", {
    limit: 100_000,
    algorithm: "sliding-window",
    leaseMs: LEASE_MS,
    windowMs: 600_000,
    ...fields,
  });
  const policy = accessPolicy("cached", {
    action: "DENY",
    when: expression(() => false),
    validDurationMs: 1e9,
    validUseCount: 1e9,
  });
  await mixer.apply(snapshotOf({ quotaPolicies: [quota], accessPolicies: [policy] }));
  const client = createPolicyClient({
    service: mixer,
    identity: { id: "edge~test" },
    ...runtime,
    compile: compileWithJsonata,
  });
  const ask = async (): Promise<CheckResult> => await client.check(BAG);
  /** Ten requests in each millisecond; the times since now of those that were allowed. */
  const drive = async (
    durationMs: number,
  ): Promise<{ readonly allowedAtMs: number[]; readonly cached: number }> => {
    const allowedAtMs: number[] = [];
    let cached = 0;
    for (let atMs = 0; atMs < durationMs; atMs++) {
      for (let request = 0; request < 10; request++) {
        const { outcome, checkCacheHit } = await ask();
        if (outcome.kind === "allow") allowedAtMs.push(atMs);
        if (checkCacheHit) cached++;
      }
      await time.advanceAndSettle(1);
    }
    return { allowedAtMs, cached };
  };
  return { time, mixer, ask, drive };
}

const COUNT = { policy: "q", key: {}, reason: "test" };

describe("a proxy with leases", () => {
  it("refuses a blocked key when its lease ends, and serves it again when the block does", async () => {
    const { mixer, ask, drive } = await setUp();
    const before = await drive(2_000);
    assert.equal(before.allowedAtMs.length, 20_000);
    assert.ok(before.cached > 19_900, "decisions come from the cache");
    const forMs = 5_000;
    await mixer.quotas.block({ ...COUNT, forMs }, "10.0.0.1");
    const { allowedAtMs } = await drive(forMs);
    const last = allowedAtMs.at(-1) ?? 0;
    assert.ok(last > 0, "the lease that the proxy held was used");
    assert.ok(last <= LEASE_MS, `allowed ${last} ms after the block`);
    const refused = await ask();
    assert.ok(refused.outcome.kind === "limit" || refused.outcome.kind === "allow");
    const after = await drive(REFUSAL_MS + 100);
    assert.ok((after.allowedAtMs[0] ?? Infinity) <= REFUSAL_MS, "the block's end is noticed");
  });

  it("refuses a blocked key whatever its policy's steps beyond the limit are", async () => {
    for (const leaseMs of [LEASE_MS, 0]) {
      const { mixer, ask, drive } = await setUp({
        leaseMs,
        beyond: [
          { kind: "queue", atMostMs: 60_000, length: 10 },
          { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] },
        ],
      });
      await drive(10);
      await mixer.quotas.block({ ...COUNT, forMs: 60_000 }, "10.0.0.1");
      await drive(leaseMs);
      for (let request = 0; request < 3; request++) {
        const { outcome, beyond } = await ask();
        assert.deepEqual([outcome.kind, beyond], ["limit", undefined]);
      }
      const auth = await mixer.check({ attributes: BAG, deduplicationId: "auth", applyBeyond: true });
      assert.equal(auth.quotas[0]?.granted, 0);
    }
  });

  it("says in a refusal when the block ends, and notices at once enough that it was ended early", async () => {
    const { mixer, ask, drive, time } = await setUp();
    await mixer.quotas.block({ ...COUNT, forMs: 60_000 }, "10.0.0.1");
    const first = await ask();
    assert.ok(first.outcome.kind === "limit");
    assert.equal(first.outcome.retryAfterMs, 60_000);
    await time.advanceAndSettle(10_000);
    const second = await ask();
    assert.equal(second.outcome.kind === "limit" && second.outcome.retryAfterMs, 50_000);
    const { changed } = await mixer.quotas.end("block", COUNT, "10.0.0.1");
    assert.equal(changed, true);
    const { allowedAtMs } = await drive(REFUSAL_MS + 50);
    assert.ok((allowedAtMs[0] ?? Infinity) <= REFUSAL_MS);
  });

  it("admits up to a raise's limit, and no more than the policy's once it has ended", async () => {
    const { mixer, ask, time } = await setUp();
    const quota = quotaPolicy("q", { limit: 3, leaseMs: 0, windowMs: 3_600_000 });
    await mixer.apply(snapshotOf({ quotaPolicies: [quota], version: "v2" }));
    const count = async (asks: number): Promise<number> => {
      let allowed = 0;
      for (let index = 0; index < asks; index++) if ((await ask()).outcome.kind === "allow") allowed++;
      return allowed;
    };
    assert.equal(await count(5), 3);
    await mixer.quotas.raise({ ...COUNT, limit: 8, forMs: 60_000 }, "10.0.0.1");
    await time.advanceAndSettle(REFUSAL_MS);
    const standing = (await ask()).quotas[0];
    assert.deepEqual([standing?.limit, standing?.remaining], [3, 3]);
    assert.equal(await count(9), 4);
    await time.advanceAndSettle(60_000);
    assert.equal(await count(3), 0);
  });
});
