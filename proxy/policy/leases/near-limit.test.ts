// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import type { QuotaAlgorithm } from "../../../core/quota/quota-definition.ts";
import { charge, createStage, quota } from "../toy-mixer.test.ts";

const BAG: AttributeBag = {};
const ROUND_TRIP_MS = 2;

interface Demand {
  readonly algorithm: QuotaAlgorithm;
  readonly limit: number;
  readonly windowMs: number;
  readonly leaseMs: number;
  readonly proxies: number;
  /** Demand as a share of the limit per window, evenly spread in time. */
  readonly share: number;
}

/** The share of the requests that is refused in the steady state. */
async function refusedPart({ algorithm, limit, windowMs, leaseMs, proxies, share }: Demand): Promise<number> {
  const stage = createStage();
  const { time, mixer, client } = stage;
  const counted = quota({ limit, windowMs, leaseMs, algorithm });
  mixer.quotas = [counted];
  mixer.delayMs = ROUND_TRIP_MS;
  mixer.decide = () => ({ validDurationMs: 1e9, validUseCount: 1e9, charges: [charge(counted)] });
  const clients = [
    client,
    ...Array.from({ length: proxies - 1 }, (_, index) => stage.newClient(`c${index}`)),
  ];
  mixer.announce({ proxies });
  let [all, asked, refused, due] = [0, 0, 0, 0];
  for (let tick = 0; tick < 9 * windowMs; tick++) {
    const counts = tick >= 3 * windowMs;
    for (due += (share * limit) / windowMs; due >= 1; due--) {
      if (counts) asked++;
      void Promise.resolve(clients[all++ % proxies]?.check(BAG)).then((verdict) => {
        if (counts && verdict?.outcome.kind !== "allow") refused++;
      });
    }
    await time.advanceAndSettle(1);
  }
  await time.advanceAndSettle(100);
  return refused / asked;
}

/**
 * The share of the limit that a sliding window admits of a steady demand, as in docs/guides/operations.md: amounts
 * that are counted at the end of a lease are free again after a window and at most one slot, and are asked for
 * after a round trip at most.
 */
function admittedPart(windowMs: number, leaseMs: number): number {
  const holdMs = Math.max(leaseMs, 2 * ROUND_TRIP_MS + 2);
  return windowMs / (windowMs + windowMs / 32 + holdMs + ROUND_TRIP_MS);
}

const TOLERANCE = 0.01;

describe("demand near the limit", () => {
  for (const [limit, windowMs, proxies] of [
    [1_000, 1_000, 1],
    [1_000, 1_000, 3],
    [200, 1_000, 1],
    [5_000, 2_000, 2],
  ] as const) {
    for (const share of [0.9, 0.95, 0.97, 0.99]) {
      it(`of ${share} of ${limit} by ${proxies} proxies is refused as documented, with the default lease`, async () => {
        const leaseMs = windowMs / 10;
        const refused = await refusedPart({
          algorithm: "sliding-window",
          limit,
          windowMs,
          leaseMs,
          proxies,
          share,
        });
        // Leases get shorter near the limit, so they cost nothing here.
        const documented = Math.max(0, 1 - admittedPart(windowMs, 0) / share);
        assert.ok(refused <= documented + TOLERANCE, `${refused}, where ${documented} is documented`);
      });
    }
  }

  for (const leaseMs of [0, 300, 1_000]) {
    it(`is refused at most as documented, with a lease of ${leaseMs} ms`, async () => {
      const [limit, windowMs, proxies, share] = [1_000, 1_000, 2, 0.97];
      const refused = await refusedPart({
        algorithm: "sliding-window",
        limit,
        windowMs,
        leaseMs,
        proxies,
        share,
      });
      const documented = 1 - admittedPart(windowMs, leaseMs) / share;
      assert.ok(refused <= documented + TOLERANCE, `${refused}, where ${documented} is documented`);
    });
  }

  for (const algorithm of ["fixed-window", "token-bucket"] as const) {
    it(`is not refused by ${algorithm} below the limit`, async () => {
      const demand = { algorithm, limit: 1_000, windowMs: 1_000, leaseMs: 100, proxies: 2, share: 0.97 };
      const refused = await refusedPart(demand);
      assert.ok(refused <= TOLERANCE, `${refused}`);
    });
  }
});
