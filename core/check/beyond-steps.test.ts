// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { expression, quotaPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import type { BeyondStep } from "../quota/quota-charge.ts";
import { decide } from "./decide.ts";
import { planChecks } from "./plan.ts";

const QUEUE = { kind: "queue", atMostMs: 500, length: 9 } as const;
const ECONOMY = { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] } as const;
const drawOn = (policy: string) => ({ kind: "draw", policy }) as const;
const keyOf = (name: string): QuotaPolicy["key"] => [
  [
    name,
    {
      kind: "expression",
      expression: expression((bag) => (bag as Record<string, Record<string, unknown>>)["request"]?.[name]),
    },
  ],
];

describe("the steps of a charge", () => {
  const BAG = { request: { user: "ann", team: "search" } };

  async function decided(...quotaPolicies: readonly QuotaPolicy[]) {
    const decision = await decide(planChecks(snapshotOf({ quotaPolicies })), BAG, {
      nowMs: 0,
      dispatch: { attributeSources: [], ask: () => undefined },
    });
    const steps = decision.charges[0]?.beyond ?? [];
    const texts = steps.map((step: BeyondStep) => (step.kind === "draw" ? step.charge.cell : step.kind));
    return { decision, steps, texts };
  }

  it("are filled in with the decision, whose reads cover them", async () => {
    const { decision, steps, texts } = await decided(
      quotaPolicy("q", { beyond: [QUEUE, drawOn("credit"), ECONOMY], giveBackOn: "failure" }),
      quotaPolicy("credit", {
        key: keyOf("team"),
        spec: { match: false, limit: 5, window: "60s" },
        limit: 5,
      }),
    );
    assert.deepEqual(texts, ["queue", 'credit{"team":"search"}', "degrade"]);
    assert.equal(decision.charges.length, 1);
    const [, draw] = steps;
    assert.ok(draw?.kind === "draw");
    assert.deepEqual([draw.charge.limit, draw.charge.amount, draw.charge.giveBackOn], [5, 1, "failure"]);
    assert.ok(decision.referenced.some(({ path }) => path.join(".") === "request.team"));
  });

  it("go on with those of the policy that is drawn on, except its queue, and draw once on each", async () => {
    const { texts } = await decided(
      quotaPolicy("q", { beyond: [drawOn("a"), drawOn("b"), QUEUE] }),
      quotaPolicy("a", { beyond: [QUEUE, drawOn("b")] }),
      quotaPolicy("b", {}),
    );
    assert.deepEqual(texts, ["a{}", "b{}", "queue"]);
    const { texts: ended } = await decided(
      quotaPolicy("q", { beyond: [drawOn("a"), QUEUE] }),
      quotaPolicy("a", { beyond: [ECONOMY] }),
    );
    assert.deepEqual(ended, ["a{}", "degrade"]);
  });

  it("leave out a policy that cannot be evaluated, and are none in shadow mode", async () => {
    const failing = expression(() => {
      throw new Error("no");
    });
    const broken = quotaPolicy("credit", {
      key: [["k", { kind: "expression", expression: failing }]],
      spec: { match: false, limit: 5, window: "60s" },
    });
    const { texts, decision } = await decided(quotaPolicy("q", { beyond: [drawOn("credit")] }), broken);
    assert.deepEqual(texts, []);
    assert.equal(decision.status.code, "OK");
    assert.equal(decision.charges[0]?.beyond, undefined);
    const { decision: shadow } = await decided(quotaPolicy("q", { mode: "shadow", beyond: [ECONOMY] }));
    assert.equal(shadow.charges[0]?.beyond, undefined);
  });
});
