// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { Settlement } from "../../core/quota/quota-definition.ts";
import type { CheckResult } from "./check-result.ts";
import { charge, createStage, quota, type Stage, type ToyQuota } from "./toy-mixer.test.ts";

const TOKENS: Settlement = { charge: "response.body.usage.total_tokens", whenAbsent: "reserve" };

const bagWith = (tokens: unknown): AttributeBag => ({
  response: { code: 200, body: { usage: { total_tokens: tokens as number } } },
});

interface Reservation {
  readonly stage: Stage;
  readonly budget: ToyQuota;
  readonly used: () => number;
}

/** A stage in which every request reserves an amount of one quota. */
function reserving(amount: number, fields: Partial<ToyQuota> = {}): Reservation {
  const budget = quota({ policy: "tokens", limit: 1_000, settlement: TOKENS, ...fields });
  const stage = createStage();
  stage.mixer.quotas = [budget];
  stage.mixer.decide = () => ({
    validDurationMs: 1_000_000_000,
    validUseCount: 1_000_000_000,
    charges: [charge(budget, amount)],
  });
  return { stage, budget, used: () => budget.limit - stage.mixer.remaining(budget) };
}

async function check({ stage }: Reservation): Promise<CheckResult> {
  let settled = false;
  const verdict = Promise.resolve(stage.client.check({})).finally(() => (settled = true));
  // A request that finds its lease ended asks again, and each call takes its time.
  while (!settled) await stage.time.advanceAndSettle(5);
  return await verdict;
}

async function close({ stage }: Reservation): Promise<void> {
  const closing = stage.client.close(100);
  await stage.time.advanceAndSettle(100);
  await closing;
}

describe("reservations", () => {
  const CASES: readonly (readonly [what: string, value: unknown, settlement: Settlement, charged: number])[] =
    [
      ["an amount below it", 30, TOKENS, 30],
      ["a fraction, rounded up", 30.2, TOKENS, 31],
      ["nothing used", 0, TOKENS, 0],
      ["all of it", 100, TOKENS, 100],
      ["more than it", 130, TOKENS, 130],
      ["no value", undefined, TOKENS, 100],
      ["no value, for which nothing is charged", undefined, { ...TOKENS, whenAbsent: 0 }, 0],
      ["no value, for which an amount is charged", undefined, { ...TOKENS, whenAbsent: 7 }, 7],
      ["text", "30", TOKENS, 100],
      ["a negative amount", -5, TOKENS, 100],
      ["an amount that no number counts exactly", 1e300, TOKENS, 100],
      ["an expression that fails", 30, { charge: "$error('no')", whenAbsent: "reserve" }, 100],
      ["an expression that does not compile", 30, { charge: "$later(", whenAbsent: "reserve" }, 100],
      ["a literal", 30, { charge: 12, whenAbsent: "reserve" }, 12],
    ];
  for (const [what, value, settlement, charged] of CASES) {
    for (const leaseMs of [0, 1_000]) {
      it(`are settled with ${what}, with leases of ${leaseMs} ms`, async () => {
        const reservation = reserving(100, { settlement, leaseMs });
        for (let request = 1; request <= 3; request++) {
          const { outcome, settlement: end } = await check(reservation);
          assert.equal(outcome.kind, "allow");
          assert.ok(reservation.used() >= charged * (request - 1) + 100, `${reservation.used()}`);
          end?.settle(undefined, bagWith(value));
          await reservation.stage.time.advanceAndSettle(5);
        }
        await close(reservation);
        assert.equal(reservation.used(), 3 * charged);
      });
    }
  }

  it("go back whole when the request failed as giveBackOn says", async () => {
    const reservation = reserving(100, { giveBackOn: "failure" });
    for (const fate of ["failure", "unanswered", undefined] as const)
      (await check(reservation)).settlement?.settle(fate, bagWith(30));
    await close(reservation);
    assert.equal(reservation.used(), 30);
  });

  it("say whether the response's body is needed", async () => {
    for (const [source, readsBody] of [
      ["response.body.usage.total_tokens", true],
      ["response.size", false],
      ["$sum(response.*)", true],
      ['response.headers."x-tokens"', false],
    ] as const) {
      const reservation = reserving(10, { settlement: { charge: source, whenAbsent: "reserve" } });
      assert.equal((await check(reservation)).settlement?.readsBody, readsBody, source);
      await close(reservation);
    }
  });

  it("count what is used beyond them as far as the limit goes, and the rest in the statistics", async () => {
    const reservation = reserving(400, { leaseMs: 0 });
    const [first, second] = [await check(reservation), await check(reservation)];
    first.settlement?.settle(undefined, bagWith(700));
    second.settlement?.settle(undefined, bagWith(400));
    await close(reservation);
    assert.equal(reservation.used(), 1_000);
    assert.equal(reservation.stage.client.stats()["quota_overspent"], 100);
  });

  it("never let the use of finished and running requests exceed the limit, and lose nothing", async () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("start" as const) }),
      fc.record({ kind: fc.constant("end" as const), at: fc.nat(20), tokens: fc.nat(50) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(400) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.constantFrom(0, 200),
        fc.constantFrom(0, 3),
        async (actions, leaseMs, delayMs) => {
          const reservation = reserving(50, { limit: 400, leaseMs });
          reservation.stage.mixer.delayMs = delayMs;
          const running: CheckResult[] = [];
          let spent = 0;
          for (const one of actions) {
            if (one.kind === "start") {
              const result = await check(reservation);
              if (result.outcome.kind === "allow") running.push(result);
            } else if (one.kind === "end") {
              const [ended] = running.splice(one.at % Math.max(1, running.length), 1);
              if (ended === undefined) continue;
              spent += one.tokens;
              ended.settlement?.settle(undefined, bagWith(one.tokens));
            } else await reservation.stage.time.advanceAndSettle(one.ms);
            assert.ok(spent + 50 * running.length <= 400, `${spent} + ${running.length} running`);
          }
          for (const rest of running) rest.settlement?.settle(undefined, bagWith(0));
          await reservation.stage.time.advanceAndSettle(10);
          await close(reservation);
          assert.equal(reservation.used(), spent);
        },
      ),
      { numRuns: 200 },
    );
  });
});
