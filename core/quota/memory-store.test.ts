// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime, type VirtualTime } from "../../plugins/sdk/testing/time.ts";
import { describeQuotaStore } from "../../test/support/quota-store-suite.ts";
import { createMemoryQuotaStore, type MemoryQuotaStore } from "./memory-store.ts";
import type { QuotaRequest } from "./quota.ts";

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

  it("forgets counts at rest while new ones come", () => {
    for (let user = 0; user < 1_000; user++) {
      assert.equal(allocate({ cell: `user-${user}` }), 1);
      time.advance(100);
    }
    assert.ok(store.statistics.cells < 40, `${store.statistics.cells} cells`);
    assert.equal(store.statistics.overflows, 0);
  });

  it("never forgets a count in use: when all are, a new one is unavailable, and old ones go on", () => {
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

  it("counts nothing for a call that it has no room for", () => {
    start({ maxCells: 2 });
    allocate({ cell: "other" });
    const call = ["first", "second"].map((cell) => ({ ...REQUEST, cell }));
    assert.throws(() => store.allocate(call, { deduplicationId: "" }), { code: "PURSER_STORE_UNAVAILABLE" });
    assert.equal(allocate({ cell: "first", amount: 2 }), 2);
  });

  it("does not take a cell of the call at hand for one at rest", () => {
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

  it("lets a count with a long name weigh more, so that names cannot fill the memory", () => {
    start({ maxCells: 10 });
    assert.equal(allocate({ cell: "x".repeat(256 * 9) }), 1);
    assert.throws(() => allocate({ cell: "y" }), { code: "PURSER_STORE_UNAVAILABLE" });
  });

  it("remembers deduplication ids for a minute at least and two at most", () => {
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

  it("forgets the older half of the deduplication ids when they are too many, and counts that", () => {
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

  it("is indifferent to the host's clock being set", () => {
    assert.equal(allocate({ amount: 2 }), 2);
    time.setWallClock(time.clock.nowMs() + 3_600_000);
    assert.equal(allocate(), 0, "set forward");
    time.setWallClock(time.clock.nowMs() - 7_200_000);
    time.advance(1_100);
    assert.equal(allocate(), 1, "set back");
  });
});
