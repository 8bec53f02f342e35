// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logLine } from "../../test/support/log-records.ts";
import type { StatusCode } from "../../kernel/status.ts";
import { changeBetween, recordedOutcome, type RequestOutcome } from "./request-outcome.ts";

const allowed: RequestOutcome = { kind: "allowed", code: "OK" };
const denied = (code: StatusCode = "PERMISSION_DENIED"): RequestOutcome => ({ kind: "denied", code });
const fault = (code: StatusCode = "INTERNAL"): RequestOutcome => ({ kind: "fault", code });

describe("the change between two outcomes", () => {
  const cases: readonly (readonly [RequestOutcome, RequestOutcome, string | undefined])[] = [
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

describe("a recorded outcome", () => {
  const kindOf = (code: StatusCode, policy: string) =>
    recordedOutcome({ ...logLine().decision, allowed: false, code, policy }).kind;

  it("is allowed where only a quota refused", () => {
    assert.equal(kindOf("RESOURCE_EXHAUSTED", "QuotaPolicy/slow"), "allowed");
    assert.equal(kindOf("RESOURCE_EXHAUSTED", "AccessPolicy/slow"), "denied");
  });

  it("is a fault where the status is an error", () => {
    assert.equal(kindOf("INTERNAL", "QuotaPolicy/slow"), "fault");
    assert.equal(kindOf("UNAVAILABLE", "AccessPolicy/a"), "fault");
    assert.equal(kindOf("UNKNOWN", "AccessPolicy/a"), "denied");
  });
});
