// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createMemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import { createSeededRandom, createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { findExcess } from "../../../test/support/quota-log.ts";
import { ROOT } from "../../machine/repository.ts";
import { markedPart } from "../marked-part.ts";
import { boundPerWindow, leasedAtMost } from "./bound.ts";
import { ALGORITHMS, ROWS, type Row, SPREADS } from "./cells.ts";
import { centralCounter, overAdmitted } from "./central-counter.ts";
import { type Accuracy, type Cell, isBroken, measureRow } from "./measure.ts";
import { runTraffic } from "./run-traffic.ts";
import { accuracyMarkdown, accuracyText } from "./table.ts";
import { arrivals, type Traffic } from "./traffic.ts";

const EVEN: Traffic = {
  algorithm: "fixed-window",
  limit: 100,
  windowMs: 1_000,
  load: 1.01,
  shares: [1 / 4, 1 / 4, 1 / 4, 1 / 4],
  storeLatencyMs: 0,
};

describe("the accuracy of leases", () => {
  for (const algorithm of ALGORITHMS) {
    for (const storeLatencyMs of [0, 200]) {
      for (const load of [1.01, 10]) {
        it(`is as stated for ${algorithm}, ${load} times the limit, a store of ${storeLatencyMs} ms`, async () => {
          for (const shares of Object.values(SPREADS)) {
            const traffic = { ...EVEN, algorithm, storeLatencyMs, load, shares };
            const run = await runTraffic(traffic, 8);
            const uses = run.usesMs.map((atMs) => ({ atMs, amount: 1 }));
            assert.equal(findExcess(algorithm, uses, traffic.limit, traffic.windowMs), undefined);
            assert.equal(overAdmitted(traffic, run.usesMs), 0);
            assert.equal(run.failed, 0);
            const under = (run.allowed - run.admitted) / 8;
            assert.ok(under <= boundPerWindow(traffic, run, 8), `${under} of ${run.allowed / 8}`);
          }
        });
      }
    }
  }

  for (const storeLatencyMs of [0, 200]) {
    it(`is the whole of a small limit for uneven proxies, with a store of ${storeLatencyMs} ms`, async () => {
      const shares = SPREADS["4 uneven"] as readonly number[];
      const traffic = { ...EVEN, limit: 10, windowMs: 10_000, load: 10, shares, storeLatencyMs };
      const { usesMs } = await runTraffic(traffic, 50);
      const perWindow = new Map<number, number>();
      for (const atMs of usesMs) {
        const window = Math.floor(atMs / traffic.windowMs);
        perWindow.set(window, (perWindow.get(window) ?? 0) + 1);
      }
      // A request of the last moment may be answered in the window after the run.
      const counts = [...perWindow.values()].slice(0, 53);
      assert.deepEqual(new Set(counts), new Set([10]));
      assert.equal(counts.length, 53);
    });
  }

  it("counts leases that are not worth a call as none", () => {
    assert.equal(leasedAtMost({ limit: 10, shares: [1 / 2, 1 / 2] }), 0);
    assert.equal(leasedAtMost({ limit: 100, shares: [1 / 2, 1 / 2] }), 10);
  });
});

describe("a central counter", () => {
  it("allows what the memory store grants, wherever both count in whole milliseconds", () => {
    for (const algorithm of ["fixed-window", "token-bucket"] as const) {
      const time = createVirtualTime();
      const store = createMemoryQuotaStore({ clock: time.clock });
      const counting = { algorithm, limit: 20, windowMs: 1_000 };
      const allows = centralCounter(counting);
      const random = createSeededRandom(5);
      for (let request = 0; request < 500; request++) {
        time.advance(Math.floor(random() * 80));
        const demand = { ...counting, cell: "a{}", amount: 1, bestEffort: false, leaseMs: 0 };
        const [grant] = store.allocate([demand], { deduplicationId: "" });
        assert.equal(allows(time.clock.nowMs()), grant?.granted === 1, `${algorithm} ${request}`);
      }
    }
  });

  it("allows no more in a sliding window than its limit, and all of it", () => {
    const counting = { algorithm: "sliding-window", limit: 3, windowMs: 100 } as const;
    const allows = centralCounter(counting);
    assert.deepEqual(
      [0, 10, 20, 30, 99, 100, 105, 110, 119, 120].map((atMs) => allows(atMs)),
      [true, true, true, false, false, true, false, true, false, true],
    );
  });

  it("finds the same excess as the brute-force log", () => {
    for (const algorithm of ALGORITHMS) {
      const random = createSeededRandom(9);
      // A token comes every 40 ms, so that about half of the runs take too many.
      const longestWaitMs = algorithm === "token-bucket" ? 60 : 90;
      let found = 0;
      for (let run = 0; run < 200; run++) {
        let atMs = 0;
        const usesMs = Array.from({ length: 12 }, () => (atMs += Math.floor(random() * longestWaitMs)));
        const uses = usesMs.map((useMs) => ({ atMs: useMs, amount: 1 }));
        const excess = overAdmitted({ algorithm, limit: 5, windowMs: 200 }, usesMs) > 0;
        assert.equal(excess, findExcess(algorithm, uses, 5, 200) !== undefined, usesMs.join());
        if (excess) found++;
      }
      assert.ok(found > 10 && found < 190, `${algorithm}: ${found}`);
    }
  });
});

describe("the arrivals of a traffic", () => {
  it("have the demand and the shares that it names", () => {
    const shares = SPREADS["4 uneven"] as readonly number[];
    const all = [...arrivals({ ...EVEN, load: 2, shares }, 100_000, createSeededRandom(1))];
    assert.ok(Math.abs(all.length - 20_000) < 500, `${all.length}`);
    const first = all.filter(({ proxy }) => proxy === 0).length;
    assert.ok(Math.abs(first / all.length - 0.5) < 0.02);
    assert.ok(all.every(({ atMs }, index) => index === 0 || atMs >= (all[index - 1]?.atMs ?? 0)));
  });
});

describe("the table of accuracy", () => {
  const cell: Cell = { admitted: 98, under: 2, bound: 5, over: 0, failed: 0, calls: 3 };
  const tableOf = (other: Partial<Cell>): Accuracy => ({
    rows: [{ ...(ROWS[0] as Row), allowed: 100, cells: { "1 proxy": { ...cell, ...other } } }],
  });

  it("marks a cell that breaks its promise", () => {
    assert.doesNotMatch(accuracyText(tableOf({})), /!/);
    for (const broken of [{ over: 1 }, { failed: 1 }, { under: 5.1 }]) {
      assert.ok(isBroken({ ...cell, ...broken }));
      assert.match(accuracyText(tableOf(broken)), /!/);
    }
  });

  it("is reproduced by the measurement, in some rows of the documentation", async () => {
    const documented = markedPart(
      readFileSync(join(ROOT, "docs/guides/quotas.md"), "utf8"),
      "accuracy table",
    );
    for (const row of ROWS.filter(({ windowMs, load }) => windowMs === 1_000 && load === 0.99)) {
      const line = accuracyMarkdown({ rows: [await measureRow(row)] })
        .split("\n")
        .find((text) => text.includes("0.99 ×")) as string;
      assert.ok(documented.includes(line), line);
    }
  });
});
