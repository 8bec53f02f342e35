// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { charge, outcome } from "../../test/support/quota-charges.ts";
import { decision } from "../../test/support/decisions.ts";
import { verdictOf } from "../verdict/verdict-of.ts";
import { lessExact, QUOTA_STATES, stateOfFailure } from "./quota-state.ts";

describe("the state of a request's quotas", () => {
  it("is the less exact of two, in either order", () => {
    assert.equal(lessExact(undefined, undefined), undefined);
    for (const [index, state] of QUOTA_STATES.entries()) {
      assert.equal(lessExact(state, undefined), state);
      assert.equal(lessExact(undefined, state), state);
      for (const later of QUOTA_STATES.slice(index)) {
        assert.equal(lessExact(state, later), later);
        assert.equal(lessExact(later, state), later);
      }
    }
  });

  it("follows from the failure policy that was applied", () => {
    assert.deepEqual(
      (["local", "allow", "deny"] as const).map((applied) => stateOfFailure({ applied })),
      ["local", "allowed-uncounted", undefined],
    );
  });

  it("of a verdict is that of its enforced quotas, hidden or not", () => {
    const away = (applied: "allow" | "local" | "deny") => ({
      failure: { code: "PURSER_STORE_UNAVAILABLE", applied } as const,
    });
    const a = charge("a");
    const stateOf = (...parts: readonly (readonly [typeof a, ReturnType<typeof outcome>])[]) =>
      verdictOf(
        decision({ charges: parts.map(([one]) => one) }),
        parts.map(([, one]) => one),
      ).quotaState;
    assert.equal(stateOf(), undefined);
    assert.equal(stateOf([a, outcome("a")]), "exact");
    assert.equal(stateOf([charge("a", { hidden: true }), outcome("a")]), "exact");
    assert.equal(stateOf([charge("a", { mode: "shadow" }), outcome("a")]), undefined);
    assert.equal(stateOf([a, outcome("a", { granted: 0, retryAfterMs: 5 })]), "exact");
    assert.equal(stateOf([a, outcome("a", away("local"))], [a, outcome("a")]), "local");
    assert.equal(
      stateOf([a, outcome("a", away("local"))], [a, outcome("a", away("allow"))]),
      "allowed-uncounted",
    );
    assert.equal(stateOf([a, outcome("a", { granted: 0, ...away("deny") })]), undefined);
  });
});
