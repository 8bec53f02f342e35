// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { expression, rule, snapshotOf } from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import { decisionIn } from "./decision-facts.ts";
import { planReports } from "./plan.ts";
import { evaluateReport } from "./report.ts";

describe("the decision in a complete bag", () => {
  it("is an allowed request, with its audits and shadow denials", () => {
    const check = { cache_hit: true, shadow_denials: ["AccessPolicy/later"], audits: ["AccessPolicy/seen"] };
    const bag = { check, quota: { cache_hit: false, state: "leased" }, response: { code: 200 } };
    assert.deepEqual(decisionIn(bag), {
      checked: true,
      allowed: true,
      code: "OK",
      shadowDenials: ["AccessPolicy/later"],
      audits: ["AccessPolicy/seen"],
      cacheHit: true,
      quotaCacheHit: false,
      quotaState: "leased",
      httpStatus: 200,
    });
  });

  it("is a refusal, with its document and message", () => {
    const check = { cache_hit: false, policy: "QuotaPolicy/slow", error_code: 8, error_message: "too fast" };
    const { allowed, code, policy, message } = decisionIn({ check });
    assert.deepEqual(
      [allowed, code, policy, message],
      [false, "RESOURCE_EXHAUSTED", "QuotaPolicy/slow", "too fast"],
    );
  });

  it("is a refusal even with an unknown code", () => {
    for (const check of [{ policy: "AccessPolicy/a" }, { error_code: 99 }, { error_code: "7" }]) {
      const { allowed, code } = decisionIn({ check });
      assert.deepEqual([allowed, code], [false, "UNKNOWN"]);
    }
  });

  it("is unchecked when no policy was asked", () => {
    assert.equal(decisionIn({ request: {} }).checked, false);
  });
});

describe("a Rule that fills the template decision", () => {
  it("contains the whole bag, the version and the decision", () => {
    const decisions = rule("decisions", "log", {
      variety: "report",
      match: expression(() => true),
      actions: [{ handler: "log", instances: [{ name: "decisions", template: "decision", params: [] }] }],
    });
    const bag: AttributeBag = { request: { method: "GET" }, check: { cache_hit: false } };
    const plan = planReports(snapshotOf({ rules: [decisions] }));
    const items = evaluateReport(plan, bag, { timeMs: 7, snapshot: "v9" });
    assert.ok(!isPromise(items));
    const [item] = items;
    assert.ok(item?.template === "decision" && items.length === 1);
    assert.deepEqual([item.handler, item.instance.timestampMs, item.instance.snapshot], ["log", 7, "v9"]);
    assert.equal(item.instance.bag, bag);
    assert.equal(item.instance.decision.allowed, true);
  });
});
