// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { CheckResult } from "./check-result.ts";
import type { MeteredPolicyClient } from "./policy-client.ts";
import { charge, createStage, quota, type Stage, type ToyQuota } from "./toy-mixer.test.ts";

const LEASE_MS = 1_000;

const slots = (limit: number): ToyQuota =>
  quota({
    policy: "at-a-time",
    algorithm: "concurrency",
    limit,
    windowMs: LEASE_MS,
    leaseMs: 0,
    mode: "shadow",
  });

/** @param cached Whether requests are decided from the cache, after the first one. */
function stageWith(quotas: readonly ToyQuota[], cached: boolean): Stage {
  const stage = createStage();
  stage.mixer.quotas = quotas;
  stage.mixer.decide = () => ({
    validDurationMs: cached ? 1_000_000_000 : 0,
    validUseCount: cached ? 1_000_000_000 : 0,
    charges: quotas.map((one) => charge(one)),
  });
  return stage;
}

const usedOf = ({ mixer }: Stage, of: ToyQuota): number => of.limit - mixer.remaining(of);
const end = ({ settlement }: CheckResult): void => settlement?.settle(undefined, {});

async function checkAll(client: MeteredPolicyClient, count: number, stage: Stage): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (let made = 0; made < count; made++) {
    let settled = false;
    const result = Promise.resolve(client.check({})).finally(() => (settled = true));
    while (!settled) await stage.time.advanceAndSettle(1);
    results.push(await result);
    // Slots in shadow mode arrive after the request has been decided.
    await stage.time.advanceAndSettle(10);
  }
  return results;
}

describe("slots of concurrency in shadow mode", () => {
  for (const cached of [true, false]) {
    for (const delayMs of [0, 3]) {
      const how = `${cached ? "with cached decisions" : "decided by the mixer"}, with replies after ${delayMs} ms`;
      it(`count the requests under way and refuse none, ${how}`, async () => {
        const of = slots(2);
        const stage = stageWith([of], cached);
        const { client, mixer, time } = stage;
        mixer.delayMs = delayMs;
        const running = await checkAll(client, 3, stage);
        assert.ok(running.every(({ outcome, quotas }) => outcome.kind === "allow" && quotas.length === 0));
        assert.equal(usedOf(stage, of), 2);
        assert.equal(client.stats()["quota_shadow_denies"], 1);
        for (let look = 0; look < 5 * LEASE_MS; look += 50) await time.advanceAndSettle(50);
        assert.equal(usedOf(stage, of), 2, "slots are renewed");
        const [, second, refused] = running as [CheckResult, CheckResult, CheckResult];
        end(refused);
        await time.advanceAndSettle(200);
        assert.equal(usedOf(stage, of), 2, "a request that would have been refused holds nothing");
        end(second);
        await time.advanceAndSettle(200);
        assert.equal(usedOf(stage, of), 1);
        const [next] = await checkAll(client, 1, stage);
        assert.equal(usedOf(stage, of), 2);
        assert.equal(client.stats()["quota_shadow_denies"], 1);
        for (const one of [running[0], next]) end(one as CheckResult);
        await time.advanceAndSettle(200);
        assert.equal(usedOf(stage, of), 0);
        assert.equal(client.stats()["quota_slots_lost"], 0);
      });
    }

    it(`are held beside enforced slots, and for no refused request, ${cached ? "cached" : "fresh"}`, async () => {
      const [seen, enforced] = [slots(5), { ...slots(1), policy: "real", mode: "enforce" } as const];
      const stage = stageWith([seen, enforced], cached);
      const running = await checkAll(stage.client, 3, stage);
      assert.deepEqual(
        running.map(({ outcome }) => outcome.kind),
        ["allow", "limit", "limit"],
      );
      // The toy mixer makes all charges of a request or none.
      assert.deepEqual([usedOf(stage, seen), usedOf(stage, enforced)], [1, 1]);
      for (const one of running) end(one);
      await stage.time.advanceAndSettle(200);
      assert.deepEqual([usedOf(stage, seen), usedOf(stage, enforced)], [0, 0]);
    });
  }

  it("go back when they arrive after the end of their request", async () => {
    const of = slots(2);
    const stage = stageWith([of], true);
    const { client, mixer, time } = stage;
    for (const one of await checkAll(client, 1, stage)) end(one);
    await time.advanceAndSettle(200);
    mixer.delayMs = 50;
    end((await client.check({})) as CheckResult);
    await time.advanceAndSettle(60);
    await time.advanceAndSettle(200);
    assert.equal(usedOf(stage, of), 0);
  });

  it("never refuse, never exceed the limit and all go back, for random requests", async () => {
    const step = fc.record({ begins: fc.nat(3), ends: fc.nat(3), waitMs: fc.nat(1_500) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.nat(5),
        async (steps, limit, cached, delayMs) => {
          const of = slots(limit);
          const stage = stageWith([of], cached);
          stage.mixer.delayMs = delayMs;
          let open: CheckResult[] = [];
          for (const { begins, ends, waitMs } of steps) {
            const begun = await checkAll(stage.client, begins, stage);
            assert.ok(begun.every(({ outcome }) => outcome.kind === "allow"));
            open.push(...begun);
            for (const one of open.slice(0, ends)) end(one);
            open = open.slice(ends);
            for (let left = waitMs; left > 0; left -= 50)
              await stage.time.advanceAndSettle(Math.min(50, left));
            assert.ok(usedOf(stage, of) <= limit);
          }
          for (const one of open) end(one);
          await stage.time.advanceAndSettle(200);
          assert.equal(usedOf(stage, of), 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
