// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import { findExcess, type Use } from "../../../test/support/quota-log.ts";
import type { MeteredPolicyClient } from "../policy-client.ts";
import { charge, createStage, quota, type Stage, type ToyQuota } from "../toy-mixer.test.ts";
import type { CheckResult } from "../check-result.ts";

const BAG: AttributeBag = {};

/** A stage in which every request uses these quotas, and the decision is cached. */
function stageWith(quotas: readonly ToyQuota[], amount = 1): Stage {
  const stage = createStage();
  stage.mixer.quotas = quotas;
  stage.mixer.decide = () => ({
    validDurationMs: 1_000_000_000,
    validUseCount: 1_000_000_000,
    charges: quotas.map((one) => charge(one, amount)),
  });
  return stage;
}

async function kinds(client: MeteredPolicyClient, count: number): Promise<Record<string, number>> {
  const verdicts = await Promise.all(Array.from({ length: count }, async () => await client.check(BAG)));
  const counts: Record<string, number> = {};
  for (const { outcome } of verdicts) counts[outcome.kind] = (counts[outcome.kind] ?? 0) + 1;
  return counts;
}

describe("quota leases", () => {
  it("are taken ahead of need, so that warm requests are decided at once and rarely ask", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 100_000, algorithm: "sliding-window" })]);
    mixer.delayMs = 2;
    await Promise.all([client.check(BAG), time.advanceAndSettle(2)]);
    let waited = 0;
    for (let tick = 0; tick < 3_000; tick++) {
      if (client.check(BAG) instanceof Promise) waited++;
      await time.advanceAndSettle(1);
    }
    assert.ok(waited < 300, `${waited} of 3000 waited: while the demand was not known yet`);
    assert.ok(mixer.allocations.length < 100, `${mixer.allocations.length} calls`);
    const verdict = client.check(BAG) as CheckResult;
    assert.deepEqual([verdict.checkCacheHit, verdict.quotaCacheHit], [true, true]);
    await Promise.all([client.close(100), time.advanceAndSettle(100)]);
    assert.equal(mixer.remaining(quota({ limit: 100_000, algorithm: "sliding-window" })), 100_000 - 3_002);
  });

  it("are never taken of small limits: each request is counted exactly", async () => {
    const scarce = quota({ limit: 10 });
    const { mixer, client } = stageWith([scarce]);
    assert.deepEqual(await kinds(client, 25), { allow: 10, limit: 15 });
    assert.ok(mixer.allocations.every(({ charges }) => charges.every(({ leaseMs }) => leaseMs === 0)));
  });

  it("that end as soon as they begin are not asked for again and again", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 4_000, leaseMs: 1 })]);
    for (let tick = 0; tick < 20; tick++) {
      assert.deepEqual(await kinds(client, 100), { allow: 100 });
      await time.advanceAndSettle(1);
    }
    assert.ok(mixer.allocations.length <= 2 * 2_000 + 20, `${mixer.allocations.length} calls`);
  });

  it("are never taken when the policy turns them off", async () => {
    const { mixer, client } = stageWith([quota({ limit: 10_000, leaseMs: 0 })]);
    await kinds(client, 500);
    assert.equal(mixer.allocations.length, 499);
  });

  it("serve waiting requests in order, with one call for all of them", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 15 })]);
    mixer.delayMs = 5;
    await Promise.all([client.check(BAG), time.advanceAndSettle(5)]);
    const outcomes: string[] = [];
    const all = Array.from({ length: 30 }, async (_, index) => {
      const { outcome } = await client.check(BAG);
      outcomes.push(`${index} ${outcome.kind}`);
    });
    await time.advanceAndSettle(20);
    await Promise.all(all);
    assert.ok(mixer.allocations.length <= 3, `${mixer.allocations.length} calls for 30 requests`);
    assert.deepEqual(
      outcomes,
      Array.from({ length: 30 }, (_, index) => `${index} ${index < 14 ? "allow" : "limit"}`),
    );
  });

  it("refuse at once when the count is known to be used up, and ask again after a second at most", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 3, windowMs: 60_000 })]);
    await kinds(client, 4);
    const calls = mixer.allocations.length;
    const refused = client.check(BAG) as CheckResult;
    assert.equal(refused.outcome.kind === "limit" && refused.outcome.retryAfterMs, 60_000);
    assert.equal(refused.quotaCacheHit, true);
    assert.deepEqual(refused.quotas, [
      { policy: "per-user", limit: 3, windowMs: 60_000, remaining: 0, resetMs: 60_000 },
    ]);
    assert.equal(mixer.allocations.length, calls);
    time.advance(1_000);
    void client.check(BAG);
    assert.equal(mixer.allocations.length, calls + 1);
  });

  it("refuse until an ask reaches the store in the next window, not a round trip longer", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 3, windowMs: 1_500, leaseMs: 0 })]);
    mixer.delayMs = 100;
    mixer.replyDelayMs = 100;
    const outcomes: string[] = [];
    const check = async () => {
      const { outcome } = await client.check(BAG);
      outcomes.push(outcome.kind);
    };
    void check();
    await time.advanceAndSettle(300);
    for (let request = 0; request < 6; request++) void check();
    await time.advanceAndSettle(1_099);
    assert.deepEqual(outcomes, ["allow", "allow", "allow", "limit", "limit", "limit", "limit"]);
    // The call takes 100 ms to the store: at 1399 ms it would still reach this window.
    assert.equal((client.check(BAG) as CheckResult).outcome.kind, "limit");
    await time.advanceAndSettle(1);
    outcomes.length = 0;
    for (let request = 0; request < 4; request++) void check();
    await time.advanceAndSettle(700);
    assert.deepEqual(outcomes, ["allow", "allow", "allow", "limit"]);
  });

  it("take all the quotas of a request or none", async () => {
    const scarce = quota({ policy: "scarce", limit: 3 });
    const plenty = quota({ policy: "plenty", limit: 10 });
    for (const order of [
      [scarce, plenty],
      [plenty, scarce],
    ]) {
      const { mixer, client } = stageWith(order);
      assert.deepEqual(await kinds(client, 8), { allow: 3, limit: 5 });
      assert.equal(mixer.remaining(plenty), 7);
    }
  });

  for (const limit of [1_000, 15]) {
    it(`put back what a refused request took from its other quotas, here of ${limit}`, async () => {
      const scarce = quota({ policy: "scarce", limit: 3 });
      const plenty = quota({ policy: "plenty", limit });
      const { time, mixer, client } = stageWith([plenty, scarce]);
      void client.check(BAG);
      mixer.delayMs = 5;
      const [counts] = await Promise.all([kinds(client, 50), time.advanceAndSettle(100)]);
      assert.deepEqual(counts, { allow: 2, limit: 48 });
      await Promise.all([client.close(100), time.advanceAndSettle(100)]);
      assert.equal(mixer.remaining(plenty), limit - 3);
    });
  }

  it("give back the rest of a shared grant that is too small for the next waiter", async () => {
    const scarce = quota({ limit: 12 });
    const { time, mixer, client } = stageWith([scarce], 5);
    mixer.delayMs = 5;
    await Promise.all([client.check(BAG), time.advanceAndSettle(5)]);
    const first = client.check(BAG);
    const [counts] = await Promise.all([kinds(client, 3), time.advanceAndSettle(50)]);
    assert.equal((await first).outcome.kind, "allow");
    assert.deepEqual(counts, { limit: 3 });
    assert.equal(mixer.remaining(scarce), 2);
  });

  it("refuse in time, and never as a failure, while demand stays above the limit", async () => {
    const bucket = quota({ limit: 1_000, windowMs: 1_000, algorithm: "token-bucket", leaseMs: 0 });
    const { time, mixer, client } = stageWith([bucket]);
    mixer.delayMs = 2;
    const verdicts: Promise<{ readonly kind: string; readonly waitedMs: number }>[] = [];
    const check = async () => {
      const sinceMs = time.clock.monotonicMs();
      const { outcome } = await client.check(BAG);
      return { kind: outcome.kind, waitedMs: time.clock.monotonicMs() - sinceMs };
    };
    for (let tick = 0; tick < 3_000; tick++) {
      for (let request = 0; request < 3; request++) verdicts.push(check());
      await time.advanceAndSettle(1);
    }
    await time.advanceAndSettle(100);
    const all = await Promise.all(verdicts);
    assert.deepEqual([...new Set(all.map(({ kind }) => kind))].sort(), ["allow", "limit"]);
    assert.ok(Math.max(...all.map(({ waitedMs }) => waitedMs)) <= 10);
    const allowed = all.filter(({ kind }) => kind === "allow").length;
    assert.ok(allowed > 3_800, `${allowed} of the 4000 that a full bucket gives in 3 s`);
  });

  it("charge an amount in full or not at all", async () => {
    const { mixer, client } = stageWith([quota({ limit: 10 })], 4);
    assert.deepEqual(await kinds(client, 5), { allow: 2, limit: 3 });
    assert.equal(mixer.remaining(quota({ limit: 10 })), 2);
  });

  it("go back before they expire when nobody uses them", async () => {
    const wide = quota({ limit: 10_000, algorithm: "sliding-window" });
    const { time, mixer, client } = stageWith([wide]);
    await kinds(client, 200);
    assert.ok(mixer.remaining(wide) < 9_800, "something is held");
    time.advance(1_000);
    assert.equal(mixer.remaining(wide), 9_800);
    assert.equal(time.scheduled, 0);
  });

  it("expire by the time of the ask, not of the reply", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 10_000, leaseMs: 100 })]);
    await kinds(client, 100);
    time.advance(1_000);
    // The reply arrives after the lease, counted from the ask, is over: nothing of it may be held.
    mixer.delayMs = 100;
    // The late grant goes back, and is asked for again with the time that a reply takes.
    const [counts] = await Promise.all([kinds(client, 100), time.advanceAndSettle(300)]);
    assert.deepEqual(counts, { allow: 100 });
    assert.equal(client.stats()["quota_late"], 1);
    assert.ok(client.check(BAG) instanceof Promise);
  });

  it("never refuse in shadow mode, but report a shadow denial", async () => {
    const shadow = quota({ policy: "trial", limit: 2, mode: "shadow" });
    const { client } = stageWith([shadow]);
    const verdicts = await Promise.all([1, 2, 3, 4].map(async () => await client.check(BAG)));
    assert.ok(verdicts.every(({ outcome, quotas }) => outcome.kind === "allow" && quotas.length === 0));
    assert.deepEqual(
      verdicts.map(({ shadowDenials }) => shadowDenials),
      [[], [], [{ kind: "QuotaPolicy", name: "trial" }], [{ kind: "QuotaPolicy", name: "trial" }]],
    );
    assert.equal(client.stats()["quota_shadow_denies"], 2);
  });

  it("serve without the mixer for as long as they last", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 10_000 })]);
    await kinds(client, 400);
    mixer.condition = "refuses";
    assert.deepEqual(await kinds(client, 50), { allow: 50 });
    await time.advanceAndSettle(1_000);
    assert.deepEqual(await kinds(client, 10), { error: 10 });
  });

  it("cause a new check when the mixer has other documents", async () => {
    const { mixer, client } = stageWith([quota({ limit: 10 })]);
    void client.check(BAG);
    mixer.stale = true;
    mixer.replyVersion = "v2";
    const { outcome, checkCacheHit } = client.check(BAG) as CheckResult;
    assert.deepEqual([outcome.kind, checkCacheHit, mixer.checks.length], ["allow", false, 2]);
  });

  it("go back although other charges in the call belong to policies that are gone", async () => {
    const quotas = Array.from({ length: 5 }, (_, index) => quota({ policy: `q${index}`, limit: 10_000 }));
    const { mixer, client } = stageWith(quotas);
    await kinds(client, 200);
    mixer.gone = ["q0", "q3"];
    await client.close(100);
    assert.deepEqual(
      quotas.map((one) => mixer.remaining(one) === 9_800),
      [false, true, true, false, true],
    );
  });

  it("cause a new check when one of a request's charges is stale, and keep the other charges' amounts", async () => {
    const kept = quota({ policy: "kept", limit: 5 });
    const gone = quota({ policy: "gone", limit: 5 });
    const { mixer, client } = stageWith([kept, gone]);
    void client.check(BAG);
    mixer.gone = ["gone"];
    mixer.replyVersion = "v2";
    mixer.decide = () => ({ charges: [charge(kept)] });
    const { outcome } = client.check(BAG) as CheckResult;
    assert.deepEqual([outcome.kind, mixer.checks.length, client.stats()["quota_stale"]], ["allow", 2, 1]);
    assert.equal(mixer.remaining(kept), 3);
  });

  it("of a hanging mixer delay waiting requests by one deadline in total", async () => {
    const { time, mixer, client } = stageWith([quota({ limit: 10 })]);
    void client.check(BAG);
    mixer.condition = "hangs";
    const first = client.check(BAG);
    await time.advanceAndSettle(900);
    const second = client.check(BAG);
    await time.advanceAndSettle(100);
    assert.equal((await first).outcome.kind, "error");
    assert.equal((await second).outcome.kind, "error");
  });

  for (const delayMs of [1, 4, 20]) {
    it(`refuse no request below the limit while the store is away, with replies after ${delayMs} ms`, async () => {
      const hot = quota({ limit: 100_000, windowMs: 10_000, onStoreFailure: "local" });
      const { time, mixer, client } = stageWith([hot]);
      mixer.delayMs = delayMs;
      await Promise.all([client.check(BAG), time.advanceAndSettle(delayMs)]);
      const verdicts: Promise<CheckResult>[] = [];
      for (let tick = 0; tick < 1_500; tick++) {
        mixer.storeCondition = tick >= 300 && tick < 1_200 ? "down" : "up";
        for (let request = 0; request < 1 + (tick % 3); request++)
          verdicts.push(Promise.resolve(client.check(BAG)));
        await time.advanceAndSettle(1);
      }
      await time.advanceAndSettle(100);
      const all = await Promise.all(verdicts);
      assert.deepEqual([...new Set(all.map(({ outcome }) => outcome.kind))], ["allow"]);
      assert.ok(all.filter(({ failure }) => failure?.applied === "local").length > 1_000);
    });
  }

  it("are all used before a request is refused while the store is away", async () => {
    const step = fc.record({
      waitMs: fc.integer({ min: 0, max: 9 }),
      requests: fc.integer({ min: 0, max: 12 }),
    });
    const scenario = fc.record({
      limit: fc.integer({ min: 0, max: 150 }),
      delayMs: fc.integer({ min: 0, max: 12 }),
      steps: fc.array(step, { minLength: 1, maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ limit, delayMs, steps }) => {
        const { time, mixer, client } = stageWith([
          quota({ limit, windowMs: 3_600_000, onStoreFailure: "local" }),
        ]);
        mixer.storeCondition = "down";
        mixer.delayMs = delayMs;
        const verdicts: Promise<CheckResult>[] = [];
        for (const { waitMs, requests } of steps) {
          for (let request = 0; request < requests; request++)
            verdicts.push(Promise.resolve(client.check(BAG)));
          await time.advanceAndSettle(waitMs);
        }
        await time.advanceAndSettle(200);
        const allowed = (await Promise.all(verdicts)).filter(({ outcome }) => outcome.kind === "allow");
        assert.equal(allowed.length, Math.min(limit, verdicts.length));
      }),
      { numRuns: 60 },
    );
  });

  it("are all used before a request is refused, also with late grants", async () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 400 })),
      requests: fc.integer({ min: 0, max: 30 }),
      replyDelayMs: fc.constantFrom(0, 1, 5, 60, 200),
    });
    const scenario = fc.record({
      algorithm: fc.constantFrom("fixed-window" as const, "sliding-window" as const),
      limit: fc.integer({ min: 0, max: 300 }),
      leaseMs: fc.constantFrom(0, 100, 1_000),
      steps: fc.array(step, { minLength: 1, maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ algorithm, limit, leaseMs, steps }) => {
        const counted = quota({ limit, leaseMs, algorithm, windowMs: 86_400_000 });
        const { time, mixer, client } = stageWith([counted]);
        mixer.delayMs = 1;
        const verdicts: Promise<CheckResult>[] = [];
        for (const { waitMs, requests, replyDelayMs } of steps) {
          mixer.replyDelayMs = replyDelayMs;
          for (let request = 0; request < requests; request++)
            verdicts.push(Promise.resolve(client.check(BAG)));
          await time.advanceAndSettle(waitMs);
        }
        await time.advanceAndSettle(4_000);
        const kindsSeen = (await Promise.all(verdicts)).map(({ outcome }) => outcome.kind);
        const countOf = (wanted: string) => kindsSeen.filter((kind) => kind === wanted).length;
        assert.ok(countOf("allow") <= limit);
        // A mixer that is late again and again counts as an error; its grants were used up for other requests
        // meanwhile.
        if (countOf("error") === 0) assert.equal(countOf("allow"), Math.min(limit, verdicts.length));
      }),
      { numRuns: 60 },
    );
  });

  it("are dropped when the policies change", async () => {
    const wide = quota({ limit: 10_000 });
    const { mixer, client } = stageWith([wide]);
    await kinds(client, 300);
    mixer.announce({ version: "v2" });
    assert.equal(mixer.remaining(wide), 9_700);
  });
});

describe("charges of failed requests", () => {
  for (const fate of ["unanswered", "failure"] as const) {
    for (const limit of [10, 100_000]) {
      for (const delayMs of [0, 3]) {
        it(`go back for ${fate} if their policies refund it, of ${limit} with replies after ${delayMs} ms`, async () => {
          const quotas = [
            quota({ policy: "never", limit }),
            quota({ policy: "unanswered", limit, giveBackOn: "unanswered" }),
            quota({ policy: "failure", limit, giveBackOn: "failure" }),
          ];
          const { time, mixer, client } = stageWith(quotas);
          mixer.delayMs = delayMs;
          const requests = 9;
          for (let request = 0; request < requests; request++) {
            const verdict = Promise.resolve(client.check(BAG));
            await time.advanceAndSettle(10);
            const { outcome, settlement } = await verdict;
            assert.equal(outcome.kind, "allow");
            settlement?.settle(fate, BAG);
            await time.advanceAndSettle(10);
          }
          const closing = client.close(100);
          await time.advanceAndSettle(100);
          await closing;
          assert.deepEqual(
            quotas.map((one) => limit - mixer.remaining(one)),
            [requests, fate === "unanswered" ? 0 : requests, 0],
          );
        });
      }
    }
  }

  it("cannot be given back when no policy refunds them", () => {
    const { client } = stageWith([quota({})]);
    for (let request = 0; request < 3; request++)
      assert.equal((client.check(BAG) as CheckResult).settlement, undefined);
  });
});

describe("late grants", () => {
  /**
   * As many requests as the limit, with held replies; and as many again, once the window of the decision is
   * over.
   */
  for (const algorithm of ["fixed-window", "sliding-window", "token-bucket"] as const) {
    for (const [how, validUseCount] of [
      ["checks", 0],
      ["asks of leases", 1_000_000],
    ] as const) {
      it(`go back, so that ${how} by ${algorithm} never admit more than the limit`, async () => {
        const delays = fc.array(fc.constantFrom(1, 5, 40, 300, 700, 900, 990), {
          minLength: 1,
          maxLength: 12,
        });
        const scenario = fc.record({
          delays,
          leaseMs: fc.constantFrom(0, 100, 1_000),
          windowMs: fc.constantFrom(100, 1_000),
          gapMs: fc.integer({ min: 0, max: 300 }),
        });
        await fc.assert(
          fc.asyncProperty(scenario, async ({ delays: all, leaseMs, windowMs, gapMs }) => {
            const limit = 60;
            const stage = stageWith([quota({ limit, windowMs, leaseMs, algorithm })]);
            const { time, mixer, client } = stage;
            const decide = mixer.decide;
            mixer.decide = (bag) => ({ ...decide(bag), validUseCount });
            const uses: Use[] = [];
            for (const delayMs of all) {
              mixer.replyDelayMs = delayMs;
              for (let request = 0; request < limit; request++) {
                void Promise.resolve(client.check(BAG)).then(({ outcome }) => {
                  if (outcome.kind === "allow") uses.push({ atMs: time.clock.nowMs(), amount: 1 });
                });
              }
              await time.advanceAndSettle(gapMs);
            }
            mixer.replyDelayMs = 1;
            await time.advanceAndSettle(4_000);
            assert.equal(findExcess(algorithm, uses, limit, windowMs), undefined);
            const closing = client.close(1_000);
            await time.advanceAndSettle(1_000 + 3 * windowMs);
            await closing;
            assert.equal(mixer.remaining(quota({ limit, windowMs, algorithm })), limit);
          }),
          { numRuns: 25 },
        );
      });
    }
  }

  it("are asked for again within the request's deadline, and used when they arrive in time then", async () => {
    const { time, mixer, client } = stageWith([
      quota({ limit: 60, windowMs: 1_000, algorithm: "sliding-window" }),
    ]);
    mixer.replyDelayMs = 1;
    await Promise.all([client.check(BAG), time.advanceAndSettle(1)]);
    await time.advanceAndSettle(2_000);
    mixer.replyDelayMs = 900;
    const all = kinds(client, 50);
    mixer.replyDelayMs = 1;
    await time.advanceAndSettle(1_000);
    assert.deepEqual(await all, { allow: 50 });
    assert.equal(client.stats()["quota_late"], 1);
  });

  it("refuse nobody while the deadline lasts, when a busy machine makes several in a row", async () => {
    const counted = quota({ limit: 600, windowMs: 20, algorithm: "sliding-window", leaseMs: 0 });
    const { time, mixer, client } = stageWith([counted]);
    mixer.replyDelayMs = 1;
    for (let warm = 0; warm < 40; warm++) await Promise.all([client.check(BAG), time.advanceAndSettle(2)]);
    const before = client.stats()["quota_late"] as number;
    // Each answer takes longer than the one before has made the proxy allow for.
    mixer.replyDelayMs = 30;
    const verdict = Promise.resolve(client.check(BAG));
    for (const delayMs of [80, 200]) {
      mixer.replyDelayMs = delayMs;
      await time.advanceAndSettle(delayMs / 2);
    }
    mixer.replyDelayMs = 1;
    await time.advanceAndSettle(1_000);
    assert.equal((await verdict).outcome.kind, "allow");
    assert.ok((client.stats()["quota_late"] as number) - before >= 2);
  });

  it("count as an unavailable mixer when they are late repeatedly", async () => {
    const { time, mixer, client } = stageWith([
      quota({ limit: 60, windowMs: 100, algorithm: "sliding-window" }),
    ]);
    mixer.replyDelayMs = 300;
    const verdict = Promise.resolve(client.check(BAG));
    await time.advanceAndSettle(2_000);
    const { outcome } = await verdict;
    assert.equal(outcome.kind === "error" && outcome.code, "PURSER_MIXER_UNAVAILABLE");
  });
});

describe("the quota promise, with leases", () => {
  const step = fc.record({
    waitMs: fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 900 }),
    ),
    client: fc.integer({ min: 0, max: 2 }),
    requests: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }), fc.constant(150)),
    condition: fc.oneof(
      { weight: 8, arbitrary: fc.constant("up" as const) },
      fc.constantFrom("refuses" as const, "hangs" as const, "loses replies" as const),
    ),
    storeCondition: fc.oneof(
      { weight: 9, arbitrary: fc.constant("up" as const) },
      fc.constant("down" as const),
    ),
  });

  for (const algorithm of ["fixed-window", "sliding-window", "token-bucket"] as const) {
    it(`holds for three proxies and ${algorithm}, under random failures`, async () => {
      const scenario = fc.record({
        limit: fc.constantFrom(1, 7, 200, 1_000, 4_000),
        windowMs: fc.constantFrom(100, 1_000, 7_000),
        leaseMs: fc.constantFrom(0, 40, 400, 1_000),
        amount: fc.constantFrom(1, 1, 3),
        delayMs: fc.constantFrom(0, 3, 25),
        replyDelayMs: fc.constantFrom(0, 0, 5, 60),
        steps: fc.array(step, { minLength: 5, maxLength: 40 }),
      });
      await fc.assert(
        fc.asyncProperty(
          scenario,
          async ({ limit, windowMs, leaseMs, amount, delayMs, replyDelayMs, steps }) => {
            const counted = quota({ limit, windowMs, leaseMs, algorithm });
            const stage = stageWith([counted], amount);
            const { time, mixer } = stage;
            mixer.delayMs = delayMs;
            mixer.replyDelayMs = replyDelayMs;
            const clients = [stage.client, stage.newClient("second"), stage.newClient("third")];
            const { policy } = counted;
            const window = `${windowMs}ms`;
            const spec = { limit, window, algorithm, charge: amount, onStoreFailure: "deny" } as const;
            const document = { kind: "QuotaPolicy", name: policy, spec } as const;
            mixer.announce({ version: "v2", proxies: 3, policies: [document] });
            const uses: Use[] = [];
            for (const { waitMs, client, requests, condition, storeCondition } of steps) {
              await time.advanceAndSettle(waitMs);
              mixer.condition = condition;
              mixer.storeCondition = storeCondition;
              for (let request = 0; request < requests; request++) {
                void Promise.resolve((clients[client] as MeteredPolicyClient).check(BAG)).then(
                  ({ outcome }) => {
                    if (outcome.kind === "allow") uses.push({ atMs: time.clock.nowMs(), amount });
                  },
                );
              }
            }
            mixer.condition = "up";
            mixer.storeCondition = "up";
            await time.advanceAndSettle(3_000);
            assert.equal(findExcess(algorithm, uses, limit, windowMs), undefined);
            await Promise.all([
              ...clients.map(async (client) => await client.close(2_000)),
              time.advanceAndSettle(2_000),
            ]);
            assert.equal(time.scheduled, 0, "nothing is left scheduled");
            await time.advanceAndSettle(3 * windowMs);
            assert.equal(mixer.remaining(counted), limit, "what was leased came back or expired");
          },
        ),
        { numRuns: 40 },
      );
    });
  }
});
