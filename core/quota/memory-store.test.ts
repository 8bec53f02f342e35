// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createVirtualTime, type VirtualTime } from "../../plugins/sdk/testing/time.ts";
import { findExcess, type Use } from "../../test/support/quota-log.ts";
import { COUNTER_KINDS, selectorOf, WINDOW_KINDS } from "../../test/support/quota-countings.ts";
import { describeQuotaStore } from "../../test/support/quota-store-suite.ts";
import { cellName } from "./cell-name.ts";
import { createMemoryQuotaStore, type MemoryQuotaStore } from "./memory-store.ts";
import type { QuotaGrant, QuotaRequest } from "./quota.ts";

const REQUEST: QuotaRequest = {
  cell: "reviews{}",
  algorithm: "sliding-window",
  limit: 2,
  windowMs: 1_000,
  amount: 1,
  bestEffort: false,
  leaseMs: 0,
};

let time: VirtualTime;
let store: MemoryQuotaStore;

function start(options: { readonly maxCells?: number; readonly maxDeduplicationIds?: number } = {}): void {
  time = createVirtualTime();
  store = createMemoryQuotaStore({ clock: time.clock, ...options });
}

function allocate(changes: Partial<QuotaRequest> = {}, deduplicationId = ""): number {
  return store.allocate([{ ...REQUEST, ...changes }], { deduplicationId })[0]?.granted ?? Number.NaN;
}

describe("the memory quota store", () => {
  beforeEach(() => start());

  describeQuotaStore("as a quota store", () => ({ store, wait: (durationMs) => time.advance(durationMs) }));

  it("drops idle counts for new ones", () => {
    for (let user = 0; user < 1_000; user++) {
      assert.equal(allocate({ cell: `user-${user}` }), 1);
      time.advance(100);
    }
    assert.ok(store.statistics.cells < 40, `${store.statistics.cells} cells`);
    assert.equal(store.statistics.overflows, 0);
  });

  it("never drops a count in use: when all are, a new count is refused, and old ones continue", () => {
    start({ maxCells: 10 });
    for (let user = 0; user < 10; user++) assert.equal(allocate({ cell: `user-${user}` }), 1);
    assert.throws(() => allocate({ cell: "one-too-many" }), {
      code: "PURSER_STORE_UNAVAILABLE",
      retryable: true,
    });
    assert.equal(store.statistics.overflows, 1);
    for (const granted of [1, 0]) {
      for (let user = 0; user < 10; user++) assert.equal(allocate({ cell: `user-${user}` }), granted);
    }
    time.advance(2_100);
    assert.equal(allocate({ cell: "one-too-many" }), 1);
  });

  it("counts nothing for a call that does not fit", () => {
    start({ maxCells: 2 });
    allocate({ cell: "other" });
    const call = ["first", "second"].map((cell) => ({ ...REQUEST, cell }));
    assert.throws(() => store.allocate(call, { deduplicationId: "" }), { code: "PURSER_STORE_UNAVAILABLE" });
    assert.equal(allocate({ cell: "first", amount: 2 }), 2);
  });

  it("keeps a count whose give-back was undone, because the rest of its call was refused", () => {
    for (const kind of COUNTER_KINDS) {
      start();
      const request = { ...REQUEST, ...selectorOf(kind, 10_000, time.clock.nowMs()) };
      const slot = store.allocate([request], { deduplicationId: "" })[0]?.slot as number;
      const [back, more] = store.allocate(
        [
          { ...request, amount: -1, slot },
          { ...request, amount: 3 },
        ],
        {
          deduplicationId: "",
        },
      );
      assert.deepEqual([back?.granted, more?.granted], [0, 0], kind);
      // New counts sweep idle ones away.
      for (let user = 0; user < 40; user++) {
        time.advance(1);
        allocate({ cell: `other-${user}` });
      }
      const [seen] = store.allocate([{ ...request, amount: 0 }], { deduplicationId: "" });
      assert.equal(seen?.remaining, 1, kind);
    }
  });

  it("does not drop a cell of the current call as idle", () => {
    start({ maxCells: 4 });
    allocate({ cell: "a" });
    time.advance(5_000);
    const call = ["a", "b", "c"].map((cell) => ({ ...REQUEST, cell, amount: 2 }));
    assert.deepEqual(
      store.allocate(call, { deduplicationId: "" }).map((grant) => grant.granted),
      [2, 2, 2],
    );
    for (const cell of ["a", "b", "c"]) assert.equal(allocate({ cell }), 0);
  });

  it("charges more room for a count with a long name, so that names cannot fill the memory", () => {
    start({ maxCells: 10 });
    assert.equal(allocate({ cell: "x".repeat(256 * 9) }), 1);
    assert.throws(() => allocate({ cell: "y" }), { code: "PURSER_STORE_UNAVAILABLE" });
  });

  it("charges more room for a long log, so that logs cannot fill the memory, and frees it with the log", () => {
    start({ maxCells: 4 });
    const log = { cell: "log", algorithm: "sliding-log", limit: 1_000, windowMs: 10_000 } as const;
    let slot = 0;
    for (let use = 0; use < 127; use++) {
      [{ slot }] = store.allocate([{ ...REQUEST, ...log }], { deduplicationId: "" }) as [QuotaGrant];
      time.advance(1);
    }
    assert.equal(allocate(log), 1, "its 128th entry");
    assert.throws(() => allocate(log), { code: "PURSER_STORE_UNAVAILABLE" });
    assert.throws(() => allocate({ cell: "other" }), { code: "PURSER_STORE_UNAVAILABLE" });
    assert.equal(allocate({ ...log, amount: -1, slot }), -1, "a give-back needs no room");
    time.advance(20_000);
    assert.equal(allocate({ cell: "other" }), 1);
    assert.equal(allocate(log), 1);
  });

  it("bounds the places of one policy, however many keys are invented", () => {
    start({ maxCells: 10_000 });
    const key = (policy: string, user: string) => cellName({ name: policy }, { user });
    const request = { limit: 200, windowMs: 3_600_000 };
    for (const policy of ["a", "b", "c"]) {
      assert.equal(allocate({ ...request, cell: key(policy, "old") }), 1);
      for (let user = 0; user < 12_000; user++) {
        assert.equal(allocate({ ...request, cell: key(policy, `invented-${user}`) }), 1);
      }
    }
    assert.ok(store.statistics.shared > 20_000);
    assert.equal(store.statistics.overflows, 0);
    // Existing keys and keys of other policies have counts of their own.
    for (const cell of [key("a", "old"), key("new", "ann"), key("new", "bob")]) {
      const first = cell.startsWith("a") ? 199 : 200;
      assert.equal(allocate({ ...request, cell, amount: 300 }), 0);
      assert.equal(allocate({ ...request, cell, amount: first }), first);
      assert.equal(allocate({ ...request, cell }), 0);
    }
    // New keys of the policy itself are still served, though perhaps not up to their limit.
    assert.equal(allocate({ ...request, cell: key("a", "late"), amount: 20 }), 20);
  });

  it("never exceeds any key's limit, whatever counts are shared", () => {
    const step = fc.record({
      waitMs: fc.oneof(
        { weight: 20, arbitrary: fc.integer({ min: 0, max: 30 }) },
        fc.integer({ min: 0, max: 2_500 }),
      ),
      user: fc.nat(40),
      amount: fc.integer({ min: 1, max: 4 }),
      leaseMs: fc.constantFrom(0, 0, 300),
      usedPart: fc.constantFrom(0, 0.5, 1),
    });
    const scenario = fc.record({
      kind: fc.constantFrom(...WINDOW_KINDS),
      maxCells: fc.integer({ min: 3, max: 30 }),
      steps: fc.array(step, { minLength: 20, maxLength: 200 }),
    });
    let shared = 0;
    fc.assert(
      fc.property(scenario, ({ kind, maxCells, steps }) => {
        start({ maxCells });
        const [limit, windowMs] = [5, 1_000];
        const uses = new Map<string, Use[]>();
        for (const { waitMs, user, amount, leaseMs, usedPart } of steps) {
          time.advance(waitMs);
          const cell = cellName({ name: "p" }, { user });
          const selector = selectorOf(kind, windowMs, time.clock.nowMs());
          const request = { ...REQUEST, cell, ...selector, limit, amount, leaseMs };
          let grant: QuotaGrant;
          try {
            [grant] = store.allocate([request], { deduplicationId: "" }) as [QuotaGrant];
          } catch (error) {
            assert.equal((error as { readonly code?: unknown }).code, "PURSER_STORE_UNAVAILABLE");
            continue;
          }
          const used = Math.ceil(grant.granted * usedPart);
          const log = uses.get(cell) ?? [];
          uses.set(cell, log);
          if (used > 0) log.push({ atMs: time.clock.nowMs() + grant.validForMs, amount: used });
          const back = { ...request, amount: used - grant.granted, slot: grant.slot, leaseMs: 0 };
          if (used < grant.granted) store.allocate([back], { deduplicationId: "" });
        }
        shared += store.statistics.shared;
        for (const log of uses.values()) assert.equal(findExcess(kind, log, limit, windowMs), undefined);
      }),
      { numRuns: 300 },
    );
    assert.ok(shared > 1_000, `${shared} shared`);
  });

  it("remembers deduplication ids for one to two minutes", () => {
    const longAgo = { limit: 10, windowMs: 1_000_000 };
    allocate(longAgo, "id");
    time.advance(59_999);
    allocate(longAgo, "id");
    allocate(longAgo, "other");
    assert.equal(
      store.allocate([{ ...REQUEST, ...longAgo, amount: 0 }], { deduplicationId: "" })[0]?.remaining,
      8,
    );
    time.advance(60_001);
    allocate(longAgo, "id");
    assert.equal(
      store.allocate([{ ...REQUEST, ...longAgo, amount: 0 }], { deduplicationId: "" })[0]?.remaining,
      7,
    );
  });

  it("drops the older half of the deduplication ids when there are too many, and counts them", () => {
    start({ maxDeduplicationIds: 100 });
    for (let id = 0; id < 151; id++) allocate({ limit: 1_000 }, `id-${id}`);
    assert.equal(store.statistics.forgottenIds, 100);
    allocate({ limit: 1_000 }, "id-149");
    allocate({ limit: 1_000 }, "id-1");
    assert.equal(
      store.allocate([{ ...REQUEST, limit: 1_000, amount: 0 }], { deduplicationId: "" })[0]?.remaining,
      848,
    );
  });

  it("is independent of changes of the host's clock", () => {
    assert.equal(allocate({ amount: 2 }), 2);
    time.setWallClock(time.clock.nowMs() + 3_600_000);
    assert.equal(allocate(), 0, "set forward");
    time.setWallClock(time.clock.nowMs() - 7_200_000);
    time.advance(1_100);
    assert.equal(allocate(), 1, "set back");
  });
});
