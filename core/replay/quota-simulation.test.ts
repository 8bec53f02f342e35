// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
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

  describe("of requests at a time", () => {
    const LEASE_MS = 10_000;
    const slots = (changes: Partial<QuotaCharge> = {}) =>
      charge("q", "q{}", { algorithm: "concurrency", limit: 2, windowMs: LEASE_MS, ...changes });

    it("frees a slot when its request ended, and after a lease when nothing tells", () => {
      const simulation = new QuotaSimulation([policy("q")]);
      const refused = () => simulation.findings(0)[0]?.refused.observed;
      simulation.charge([slots()], 0, 1, 100);
      simulation.charge([slots()], 10, 1, 500);
      simulation.charge([slots()], 99, 1, 5_000);
      assert.equal(refused(), 1);
      simulation.charge([slots()], 100, 1);
      simulation.charge([slots()], 499, 1, 600);
      assert.equal(refused(), 2);
      simulation.charge([slots()], 500, 1, 501);
      simulation.charge([slots()], 600, 1, LEASE_MS);
      simulation.charge([slots()], 601, 1, 700);
      assert.equal(refused(), 3);
      simulation.charge([slots()], 100 + 2 * LEASE_MS, 2, 1e9);
      assert.equal(refused(), 3);
    });

    it("holds the slot of a request that lasts for many leases, however far apart records are", () => {
      for (const gapMs of [LEASE_MS / 4, LEASE_MS, 7 * LEASE_MS, 90 * LEASE_MS]) {
        const simulation = new QuotaSimulation([policy("q")]);
        const endMs = 100 * LEASE_MS;
        simulation.charge([slots({ limit: 1 })], 0, 1, endMs);
        let asked = 0;
        for (let timeMs = gapMs; timeMs < endMs; timeMs += gapMs, asked++)
          simulation.charge([slots({ limit: 1 })], timeMs, 1, timeMs + 1);
        assert.equal(simulation.findings(0)[0]?.refused.observed, asked, `${gapMs} ms`);
        simulation.charge([slots({ limit: 1 })], endMs, 1, endMs + 1);
        assert.equal(simulation.findings(0)[0]?.refused.observed, asked, `${gapMs} ms`);
      }
    });

    it("agrees with a count of the requests under way, for random requests", () => {
      const arbitraryRequest = fc.record({
        waitMs: fc.nat(9_000),
        durationMs: fc.nat(40_000),
        amount: fc.integer({ min: 1, max: 2 }),
      });
      const property = fc.property(
        fc.array(arbitraryRequest, { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        (requests, limit) => {
          const simulation = new QuotaSimulation([policy("q")]);
          let open: { readonly endMs: number; readonly amount: number }[] = [];
          let nowMs = 0;
          let refused = 0;
          for (const { waitMs, durationMs, amount } of requests) {
            nowMs += waitMs;
            simulation.charge([slots({ limit, amount })], nowMs, 1, nowMs + durationMs);
            open = open.filter(({ endMs }) => endMs > nowMs);
            const used = open.reduce((sum, one) => sum + one.amount, 0);
            if (used + amount > limit) refused++;
            else open.push({ endMs: nowMs + durationMs, amount });
            assert.equal(simulation.findings(0)[0]?.refused.observed, refused);
          }
        },
      );
      fc.assert(property);
    });

    it("frees the slots of quotas in shadow mode at once when another quota refuses the request", () => {
      const simulation = new QuotaSimulation([policy("q", "shadow"), policy("none")]);
      const refused = charge("none", "none{}", { limit: 0 });
      for (let count = 0; count < 5; count++)
        simulation.charge([slots({ mode: "shadow" }), refused], count, 1, 9_000);
      assert.equal(simulation.findings(0)[0]?.refused.observed, 0);
    });
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
