// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import { quotaPolicy } from "../../test/support/snapshots.ts";
import { charge as chargeOf } from "../../test/support/quota-charges.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { QuotaSimulation } from "./quota-simulation.ts";

const charge = (policy: string, cell: string, changes: Partial<QuotaCharge> = {}): QuotaCharge =>
  chargeOf(policy, { cell, windowMs: 1000, ...changes });

const policy = (name: string, mode: EnforcementMode = "enforce") =>
  quotaPolicy(name, { limit: 2, windowMs: 1000, algorithm: "fixed-window", mode });

describe("the simulation of quotas", () => {
  it("refuses beyond the limit of a window on the records' time, by key", () => {
    const simulation = new QuotaSimulation([policy("q")]);
    for (const timeMs of [0, 1, 2, 3, 1000, 1001]) simulation.charge([charge("q", "q{a}")], timeMs, 1);
    simulation.charge([charge("q", "q{b}")], 1002, 1);
    const [finding] = simulation.findings(1);
    assert.deepEqual(finding, {
      policy: "QuotaPolicy/q",
      mode: "enforce",
      charged: { observed: 7, estimated: 7 },
      refused: { observed: 2, estimated: 2 },
      beyond: { observed: 0, estimated: 0 },
      refusedKeys: 1,
      topKeys: [{ name: "q{a}", observed: 2, estimated: 2 }],
    });
  });

  it("charges a sampled record once for each request that it represents", () => {
    const simulation = new QuotaSimulation([policy("q")]);
    simulation.charge([charge("q", "a")], 0, 10);
    assert.deepEqual(simulation.findings(0)[0]?.refused, { observed: 1, estimated: 8 });
    assert.deepEqual(simulation.findings(0)[0]?.charged, { observed: 1, estimated: 10 });
  });

  it("grants enforced charges all or nothing, and attributes the refusal to the right quota", () => {
    const simulation = new QuotaSimulation([policy("tight"), policy("wide")]);
    const both = [charge("tight", "t"), charge("wide", "w", { limit: 4 })];
    for (let count = 0; count < 4; count++) simulation.charge(both, 0, 1);
    const [tight, wide] = simulation.findings(0);
    assert.deepEqual([tight?.refused.observed, wide?.refused.observed], [2, 0]);
    // Refused requests were not charged to the other quota.
    for (let count = 0; count < 2; count++) simulation.charge([charge("wide", "w", { limit: 4 })], 0, 1);
    assert.equal(simulation.findings(0)[1]?.refused.observed, 0);
  });

  it("draws on another quota and degrades beyond a limit, and never waits", () => {
    const simulation = new QuotaSimulation([policy("q"), policy("credit")]);
    const beyond: QuotaCharge["beyond"] = [
      { kind: "queue", atMostMs: 500, length: 9 },
      { kind: "draw", charge: charge("credit", "credit{}", { limit: 1 }) },
    ];
    const shadow = charge("seen", "seen{}", { mode: "shadow", limit: 100 });
    simulation.charge([charge("q", "q{}", { beyond }), shadow], 0, 5);
    const [q, credit] = simulation.findings(0);
    assert.deepEqual([q?.charged.estimated, q?.beyond.estimated, q?.refused.estimated], [5, 1, 2]);
    assert.equal(credit?.charged.estimated, 1);
    const degraded = new QuotaSimulation([policy("q")]);
    const economy = { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] } as const;
    degraded.charge([charge("q", "q{}", { beyond: [economy] })], 0, 5);
    const [only] = degraded.findings(0);
    assert.deepEqual([only?.beyond.estimated, only?.refused.estimated], [3, 0]);
  });

  it("counts quotas in shadow mode separately", () => {
    const simulation = new QuotaSimulation([policy("real"), policy("shadow", "shadow")]);
    const both = [charge("real", "r", { limit: 9 }), charge("shadow", "s", { mode: "shadow" })];
    for (let count = 0; count < 5; count++) simulation.charge(both, 0, 1);
    const [real, shadow] = simulation.findings(0);
    assert.deepEqual([real?.refused.observed, shadow?.refused.observed], [0, 3]);
  });

  it("counts a late record at the current time, and reports it", () => {
    const simulation = new QuotaSimulation([policy("q")]);
    for (const timeMs of [1000, 500, 1001]) simulation.charge([charge("q", "a")], timeMs, 1);
    assert.deepEqual([simulation.late, simulation.findings(0)[0]?.refused.observed], [1, 1]);
  });

  it("reports charges that it could not count", () => {
    const simulation = new QuotaSimulation([policy("q")], 2);
    for (const cell of ["a", "b", "c"]) simulation.charge([charge("q", cell)], 0, 1);
    assert.equal(simulation.uncounted, 1);
  });
});
