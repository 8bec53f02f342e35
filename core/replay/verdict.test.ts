// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logLine } from "../../test/support/log-records.ts";
import type { StatusCode } from "../../kernel/status.ts";
import { changeBetween, recordedVerdict, type Verdict } from "./verdict.ts";

const allowed: Verdict = { kind: "allowed", code: "OK" };
const denied = (code: StatusCode = "PERMISSION_DENIED"): Verdict => ({ kind: "denied", code });
const fault = (code: StatusCode = "INTERNAL"): Verdict => ({ kind: "fault", code });

describe("the change between two verdicts", () => {
  const cases: readonly (readonly [Verdict, Verdict, string | undefined])[] = [
    [allowed, allowed, undefined],
    [allowed, denied(), "newly-denied"],
    [denied(), allowed, "newly-allowed"],
    [denied(), denied("NOT_FOUND"), "other-status"],
    [denied(), denied(), undefined],
    [allowed, fault(), "faults"],
    [denied(), fault(), "faults"],
    [fault(), allowed, "fixed-faults"],
    [fault(), denied(), "fixed-faults"],
    [fault(), fault("UNAVAILABLE"), "other-status"],
    // A policy may refuse with an error's status, which the log does not distinguish.
    [fault("UNAVAILABLE"), denied("UNAVAILABLE"), undefined],
  ];
  for (const [before, after, change] of cases) {
    it(`from ${before.kind} ${before.code} to ${after.kind} ${after.code} is ${change}`, () => {
      assert.equal(changeBetween(before, after), change);
    });
  }
});

describe("a recorded verdict", () => {
  const verdictOf = (code: StatusCode, policy: string) =>
    recordedVerdict({ ...logLine().decision, allowed: false, code, policy }).kind;

  it("is allowed where only a quota refused", () => {
    assert.equal(verdictOf("RESOURCE_EXHAUSTED", "QuotaPolicy/slow"), "allowed");
    assert.equal(verdictOf("RESOURCE_EXHAUSTED", "AccessPolicy/slow"), "denied");
  });

  it("is a fault where the status is an error", () => {
    assert.equal(verdictOf("INTERNAL", "QuotaPolicy/slow"), "fault");
    assert.equal(verdictOf("UNAVAILABLE", "AccessPolicy/a"), "fault");
    assert.equal(verdictOf("UNKNOWN", "AccessPolicy/a"), "denied");
  });
});
