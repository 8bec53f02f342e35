// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { charge } from "../../test/support/quota-charges.ts";
import { callId } from "./call-id.ts";
import { demandOf, type NamedStore } from "./demand.ts";

const STORE: NamedStore = { name: "memory", allocate: () => [] };
const MIDNIGHT_MS = Date.parse("2026-01-31T23:00:00Z");

describe("the demand of a charge", () => {
  it("has the calendar periods around the time at which the store is asked", () => {
    const monthly = charge("monthly", {
      period: { every: "month", timeZone: "Europe/Zurich", dayOfMonth: 1 },
    });
    const periodAt = (nowMs: number) => demandOf(monthly, STORE, { nowMs }).request.period;
    assert.equal(periodAt(MIDNIGHT_MS - 1)?.periodEndMs, MIDNIGHT_MS);
    assert.deepEqual(periodAt(MIDNIGHT_MS), {
      rule: "month@1@Europe/Zurich",
      previousPeriodStartMs: Date.parse("2025-12-31T23:00:00Z"),
      periodStartMs: MIDNIGHT_MS,
      periodEndMs: Date.parse("2026-02-28T23:00:00Z"),
      nextPeriodEndMs: Date.parse("2026-03-31T22:00:00Z"),
    });
    const idAt = (nowMs: number) =>
      callId({ call: "c", purpose: "p", store: "s" }, [demandOf(monthly, STORE, { nowMs }).request]);
    assert.equal(idAt(MIDNIGHT_MS - 1), idAt(MIDNIGHT_MS), "a retry after midnight is the same call");
  });

  it("has the alignment and the slot where the charge has them, and no other fields of its own", () => {
    const { request } = demandOf(charge("q", { align: "first-use" }), STORE, { nowMs: 0, slot: 7 });
    assert.deepEqual(request, {
      cell: "q{}",
      limit: 2,
      amount: 1,
      bestEffort: false,
      leaseMs: 0,
      algorithm: "fixed-window",
      windowMs: 60_000,
      align: "first-use",
      slot: 7,
    });
  });

  it("names different counts for different ways of counting", () => {
    const idOf = (fields: Parameters<typeof charge>[1]) =>
      callId({ call: "c", purpose: "p", store: "s" }, [
        demandOf(charge("q", fields), STORE, { nowMs: 0 }).request,
      ]);
    const ids = [
      {},
      { align: "first-use" },
      { period: { every: "day", timeZone: "UTC" } },
      { period: { every: "day", timeZone: "Asia/Kolkata" } },
      { period: { every: "week", timeZone: "UTC", startsOn: "sunday" } },
      { algorithm: "sliding-log" },
    ] as const;
    assert.equal(new Set(ids.map(idOf)).size, ids.length);
  });
});
