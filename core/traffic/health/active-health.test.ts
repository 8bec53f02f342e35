// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { ActiveHealth, CHECK_OUTCOMES, type CheckOutcome } from "./active-health.ts";

const OUTCOME_OF: Readonly<Record<string, CheckOutcome>> = {
  s: "success",
  f: "failure",
  n: "network_failure",
  t: "timeout",
};

/** The states after each outcome: h healthy, u unhealthy. */
function statesOf(outcomes: string, unhealthyThreshold: number, healthyThreshold: number): string {
  const health = new ActiveHealth({ unhealthyThreshold, healthyThreshold });
  let states = "";
  for (const letter of outcomes) {
    const before = health.state;
    const changed = health.onOutcome(OUTCOME_OF[letter] as CheckOutcome);
    assert.equal(changed, before !== health.state);
    states += health.state === "healthy" ? "h" : "u";
  }
  return states;
}

describe("health by active checks", () => {
  for (const [outcomes, unhealthy, healthy, states, why] of [
    ["s", 3, 3, "h", "one success is enough at first"],
    ["n", 3, 3, "u", "one failure is enough at first"],
    ["snnn", 3, 1, "hhhu", "failures without an answer count up to the threshold"],
    ["sntn", 3, 1, "hhhu", "timeouts count like them"],
    ["snnsnn", 3, 1, "hhhhhh", "a success between begins the count anew"],
    ["sf", 3, 1, "hu", "an answer that says so is enough"],
    ["sfsss", 1, 3, "huuuh", "successes count up to the threshold"],
    ["sfssnsss", 1, 3, "huuuuuuh", "a failure between begins the count anew"],
    ["fs", 1, 2, "uu", "the first success of an endpoint that failed counts as one"],
    ["sfnnns", 5, 1, "huuuuh", "failures while unhealthy change nothing"],
    ["sfsnnnn", 4, 1, "huhhhhu", "failures of an earlier time are forgotten"],
  ] as const) {
    it(`${outcomes} with thresholds ${unhealthy} and ${healthy}: ${why}`, () => {
      assert.equal(statesOf(outcomes, unhealthy, healthy), states);
    });
  }

  it("is unchecked before the first outcome, and never again", () => {
    const health = new ActiveHealth({ unhealthyThreshold: 2, healthyThreshold: 2 });
    assert.equal(health.state, "unchecked");
    health.onOutcome("timeout");
    assert.equal(health.state, "unhealthy");
  });

  it("changes only with as many outcomes of the other kind as the threshold says", () => {
    const thresholds = fc.record({
      unhealthyThreshold: fc.integer({ min: 1, max: 5 }),
      healthyThreshold: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(thresholds, fc.array(fc.constantFrom(...CHECK_OUTCOMES)), (given, outcomes) => {
        const health = new ActiveHealth(given);
        for (const [index, outcome] of outcomes.entries()) {
          const before = health.state;
          if (!health.onOutcome(outcome) || before === "unchecked" || outcome === "failure") continue;
          const needed = before === "healthy" ? given.unhealthyThreshold : given.healthyThreshold;
          const last = outcomes.slice(Math.max(0, index + 1 - needed), index + 1);
          assert.equal(last.length, needed);
          assert.ok(last.every((each) => (each === "success") === (health.state === "healthy")));
        }
      }),
    );
  });
});
