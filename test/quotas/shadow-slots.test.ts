// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
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

const LEASE_MS = 1_000;
const LIMIT = 2;

const end = ({ settlement }: CheckResult): void => settlement?.settle(undefined, {});

/** A mixer and a proxy's policy client, with a shadow quota of LIMIT requests at a time. */
async function setUp(cached: boolean, othersLimit: number) {
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
  const slots = { algorithm: "concurrency", windowMs: LEASE_MS, leaseMs: 0 } as const;
  const kept = cached ? { validDurationMs: 1e9, validUseCount: 1e9 } : { validDurationMs: 0 };
  await mixer.apply(
    snapshotOf({
      accessPolicies: [accessPolicy("cached", { when: expression(() => false), ...kept })],
      quotaPolicies: [
        quotaPolicy("seen", { ...slots, limit: LIMIT, mode: "shadow" }),
        quotaPolicy("others", { ...slots, limit: othersLimit }),
      ],
    }),
  );
  const client = createPolicyClient({
    service: mixer,
    identity: { id: "edge~test" },
    ...runtime,
    compile: compileWithJsonata,
  });
  const begin = async (): Promise<CheckResult> => {
    const result = await client.check({});
    await time.advanceAndSettle(10);
    return result;
  };
  const free = async (): Promise<number> => {
    const { policies } = await mixer.quotas.list({ policy: "seen", limit: 1 });
    return LIMIT - (policies[0]?.counts[0]?.used ?? 0);
  };
  return { time, client, begin, free };
}

describe("a shadow quota of requests at a time", () => {
  for (const cached of [true, false]) {
    const how = cached ? "with cached decisions" : "with every request decided by the mixer";
    it(`counts the requests under way, beside an enforced one, ${how}`, async () => {
      const { time, client, begin, free } = await setUp(cached, LIMIT + 1);
      const running: CheckResult[] = [];
      for (let count = 0; count < LIMIT + 2; count++) running.push(await begin());
      assert.deepEqual(
        running.map(({ outcome }) => outcome.kind),
        ["allow", "allow", "allow", "limit"],
      );
      assert.equal(await free(), 0);
      for (let waitedMs = 0; waitedMs < 5 * LEASE_MS; waitedMs += 50) await time.advanceAndSettle(50);
      assert.equal(await free(), 0, "slots are renewed");
      assert.equal(client.stats()["quota_slots_lost"], 0);
      for (const [index, one] of running.entries()) {
        end(one);
        await time.advanceAndSettle(200);
        assert.equal(await free(), Math.min(LIMIT, index + 1));
      }
    });

    it(`holds nothing for requests that another quota refuses, ${how}`, async () => {
      const { time, begin, free } = await setUp(cached, 1);
      const first = await begin();
      assert.equal(await free(), LIMIT - 1);
      for (let count = 0; count < 5; count++) {
        assert.equal((await begin()).outcome.kind, "limit");
        await time.advanceAndSettle(150);
        assert.equal(await free(), LIMIT - 1);
      }
      end(first);
      await time.advanceAndSettle(200);
      assert.equal(await free(), LIMIT);
    });
  }
});
