// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { PolicyDocument } from "../../core/snapshot/policy-document.ts";
import { rateLimitOf } from "../../core/verdict/reply.ts";
import { charge, createStage, quota, type Stage, type ToyQuota } from "./toy-mixer.test.ts";

/** A stage whose requests use these quotas. */
function stageWith(quotas: readonly ToyQuota[], hidden: readonly string[] = []): Stage {
  const stage = createStage();
  stage.mixer.quotas = quotas;
  const charges = quotas.map((one) => ({
    ...charge(one),
    ...(hidden.includes(one.policy) ? { hidden: true as const } : {}),
  }));
  stage.mixer.decide = () => ({ charges });
  return stage;
}

/** The states of three requests, one after the other, and the counters of states that are not 0. */
async function statesOf({ client }: Stage): Promise<readonly [readonly unknown[], object]> {
  const states: unknown[] = [];
  for (let turn = 0; turn < 3; turn++) states.push((await client.check({})).quotaState);
  const counted = Object.entries(client.stats()).filter(
    ([name, count]) => name.startsWith("quota_state_") && count > 0,
  );
  return [states, Object.fromEntries(counted)];
}

const quotaPolicy = (onStoreFailure: "allow" | "local", name = "q"): PolicyDocument => ({
  kind: "QuotaPolicy",
  name,
  spec: { limit: 10, window: "60s", onStoreFailure },
});

describe("the state of a request's quotas in the proxy", () => {
  it("is exact when the mixer charges, and leased from then on", async () => {
    assert.deepEqual(await statesOf(stageWith([quota()])), [
      ["exact", "leased", "leased"],
      { quota_state_exact: 1, quota_state_leased: 2 },
    ]);
  });

  it("stays exact without leases", async () => {
    assert.deepEqual(await statesOf(stageWith([quota({ leaseMs: 0 })])), [
      ["exact", "exact", "exact"],
      { quota_state_exact: 3 },
    ]);
  });

  it("is absent without quotas, and with shadow quotas alone", async () => {
    const none = [[undefined, undefined, undefined], {}];
    assert.deepEqual(await statesOf(stageWith([])), none);
    assert.deepEqual(await statesOf(stageWith([quota({ mode: "shadow" })])), none);
  });

  it("is that of the failure policy while the store is down", async () => {
    for (const [onStoreFailure, state, counter] of [
      ["local", "local", "quota_state_local"],
      ["allow", "allowed-uncounted", "quota_state_allowed_uncounted"],
    ] as const) {
      const stage = stageWith([quota({ onStoreFailure })]);
      stage.mixer.storeCondition = "down";
      assert.deepEqual(await statesOf(stage), [[state, state, state], { [counter]: 3 }]);
    }
  });

  it("is the least exact of several quotas", async () => {
    const stage = stageWith([
      quota({ policy: "a", onStoreFailure: "local" }),
      quota({ policy: "b", onStoreFailure: "allow" }),
    ]);
    await stage.client.check({});
    stage.mixer.storeCondition = "down";
    stage.time.advance(5_000);
    assert.equal((await stage.client.check({})).quotaState, "allowed-uncounted");
  });

  it("is that of the documents' failure policies while the mixer is away", async () => {
    const stateWith = async (...policies: readonly PolicyDocument[]) => {
      const stage = createStage();
      stage.mixer.announce({ policies });
      stage.mixer.condition = "refuses";
      const { outcome, quotaState } = await stage.client.check({});
      assert.equal(outcome.kind, "allow");
      return quotaState;
    };
    assert.equal(await stateWith(), undefined);
    assert.equal(await stateWith(quotaPolicy("local")), "local");
    assert.equal(await stateWith(quotaPolicy("allow")), "allowed-uncounted");
    assert.equal(await stateWith(quotaPolicy("allow"), quotaPolicy("local", "r")), "allowed-uncounted");
    const rule: PolicyDocument = {
      kind: "Rule",
      name: "listed",
      spec: { instances: [], actions: [], onError: "allow" },
    };
    assert.equal(await stateWith(rule), undefined);
  });
});

describe("a hidden quota in the proxy", () => {
  it("is in no RateLimit field, and counts and refuses all the same", async () => {
    const hidden = quota({ policy: "hidden", limit: 3 });
    const stage = stageWith([hidden, quota({ policy: "open", limit: 9 })], ["hidden"]);
    const kinds: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const result = await stage.client.check({});
      kinds.push(result.outcome.kind);
      assert.equal(rateLimitOf(result)?.policy, '"open";q=9;w=60');
      assert.match(rateLimitOf(result)?.standing ?? "", /^"open";r=\d;t=60$/);
      assert.deepEqual(
        result.quotas.map(({ policy }) => policy),
        ["open"],
      );
      if (result.outcome.kind === "limit") assert.equal(result.outcome.decidedBy.name, "hidden");
    }
    assert.deepEqual(kinds, ["allow", "allow", "allow", "limit"]);
  });

  it("leaves a response without fields when there is no other", async () => {
    const stage = stageWith([quota({ policy: "hidden" })], ["hidden"]);
    for (let turn = 0; turn < 2; turn++) assert.equal(rateLimitOf(await stage.client.check({})), undefined);
    const shadow = stageWith([quota({ mode: "shadow" })]);
    for (let turn = 0; turn < 2; turn++) assert.equal(rateLimitOf(await shadow.client.check({})), undefined);
  });
});
