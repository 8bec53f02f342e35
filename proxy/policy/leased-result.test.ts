// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { rateLimitFields } from "../../core/verdict/rate-limit-fields.ts";
import { exhaustedQuota, httpReplyOf, rateLimitOf } from "../../core/verdict/reply.ts";
import type { CheckResult } from "./check-result.ts";
import { LeasedResult } from "./leased-result.ts";
import { charge, createStage, denial, quota, type Stage, type ToyQuota } from "./toy-mixer.test.ts";

const FOREVER = { validDurationMs: 1_000_000_000, validUseCount: 1_000_000_000 };

/** A stage whose decisions are cached for each user, whose quotas have a count for each user. */
function stageWith(quotas: readonly ToyQuota[], settings = {}): Stage {
  const stage = createStage(settings);
  stage.mixer.quotas = quotas;
  stage.mixer.decide = (view) => {
    const user = view["user"] as string;
    return { ...FOREVER, charges: quotas.map((one) => charge(one, 1, `${one.policy}{"user":"${user}"}`)) };
  };
  return stage;
}

const checked = (stage: Stage, user: string): CheckResult => {
  const bag: AttributeBag = { user };
  const result = stage.client.check(bag);
  assert.ok(!(result instanceof Promise));
  return result;
};

describe("the result of a cached decision with quotas", () => {
  it("has the RateLimit fields of its quotas, whether it allows or refuses, as time passes", () => {
    const daily = quota({ policy: "daily", limit: 1_000, windowMs: 86_400_000 });
    const stage = stageWith([quota({ policy: 'odd "name"', limit: 30, windowMs: 10_000 }), daily]);
    const outcomes = new Set<string>();
    for (let turn = 0; turn < 100; turn++) {
      const result = checked(stage, "ann");
      outcomes.add(result.outcome.kind);
      assert.equal(result instanceof LeasedResult, turn > 0);
      const expected = rateLimitFields(result.quotas, exhaustedQuota(result.outcome));
      assert.deepEqual({ ...rateLimitOf(result) }, { ...expected });
      assert.equal(result.quotas.length, 2);
      stage.time.advance(130);
    }
    assert.deepEqual([...outcomes].sort(), ["allow", "limit"]);
  });

  it("keeps the standing of its own moment", () => {
    const stage = stageWith([quota({ limit: 100 })]);
    const [, second, third] = [checked(stage, "ann"), checked(stage, "ann"), checked(stage, "ann")];
    stage.time.advance(5_000);
    assert.deepEqual(
      [second, third].map((result) => rateLimitOf(result as CheckResult)?.standing),
      ['"per-user";r=98;t=60', '"per-user";r=97;t=60'],
    );
  });

  it("charges the right count after its pool was dropped, and never more than the limit", () => {
    const scarce = quota({ limit: 40, leaseMs: 1_000 });
    const wide = quota({ policy: "wide", limit: 100_000 });
    // Fewer pools than the charges of two users: each request drops pools of another.
    const stage = stageWith([scarce, wide], { maxLeasePools: 3 });
    const allowed = new Map<string, number>();
    for (let turn = 0; turn < 600; turn++) {
      const user = `user-${turn % 5}`;
      if (checked(stage, user).outcome.kind === "allow") allowed.set(user, (allowed.get(user) ?? 0) + 1);
    }
    assert.deepEqual([...allowed.values()], [40, 40, 40, 40, 40]);
  });

  it("refuses with a reply that is made once, where no quota changes it", () => {
    const stage = createStage();
    stage.mixer.decide = () => ({ ...FOREVER, ...denial("shop/closed") });
    const [, second, third] = [checked(stage, "ann"), checked(stage, "ann"), checked(stage, "ann")];
    assert.equal(second, third);
    assert.deepEqual(second?.reply, httpReplyOf(second as CheckResult));
    assert.deepEqual(second?.reply?.headers, [["x-purser-policy", "AccessPolicy/shop/closed"]]);
  });
});
