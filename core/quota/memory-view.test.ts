// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime, quotaRequest } from "../../plugins/sdk/testing/index.ts";
import { createMemoryQuotaStore, type MemoryQuotaStoreOptions } from "./memory-store.ts";
import { charge as chargeOf } from "../../test/support/quota-charges.ts";
import { POLICY_COUNTINGS } from "../../test/support/quota-countings.ts";
import { demandOf } from "./demand.ts";
import type { QuotaCounting } from "./quota-definition.ts";
import type { CountPage } from "./quota-view.ts";

const { algorithm, windowMs } = quotaRequest();
const NONE = { deduplicationId: "" };

function setUp(options: Partial<MemoryQuotaStoreOptions> = {}) {
  const time = createVirtualTime();
  const store = createMemoryQuotaStore({ clock: time.clock, ...options });
  const charge = (cell: string, changes: object = {}) =>
    store.allocate([quotaRequest({ cell, ...changes })], NONE)[0];
  const list = (policy: string, limit: number, cursor?: string): CountPage =>
    store.view.list({
      policy,
      algorithm,
      windowMs,
      limit,
      ...(cursor === undefined ? {} : { cursor }),
    }) as CountPage;
  return { time, store, charge, list };
}

describe("the view of a memory store", () => {
  it("tells the counts of one key by their ways of counting", () => {
    const { store, time } = setUp();
    const nowMs = time.clock.nowMs();
    for (const [index, counting] of POLICY_COUNTINGS.entries()) {
      const { request } = demandOf(
        chargeOf("p", { ...counting, limit: 20 + index }),
        { ...store, name: "m" },
        { nowMs },
      );
      assert.equal(store.allocate([request], NONE)[0]?.granted, 1);
    }
    const lastLimits = (counting: QuotaCounting) =>
      (store.view.list({ policy: "p", ...counting, limit: 10 }) as CountPage).counts.map(
        ({ lastLimit }) => lastLimit,
      );
    for (const [index, counting] of POLICY_COUNTINGS.entries())
      assert.deepEqual(lastLimits(counting), [20 + index]);
    for (const unknown of [{ align: "first-use", windowMs: 1 }, { windowMs: 1 }] as const)
      assert.deepEqual(lastLimits({ algorithm: "fixed-window", ...unknown }), []);
  });

  it("pages over counts that come and go, and lists each that stays once", () => {
    const { charge, list, store } = setUp();
    for (let user = 0; user < 25; user++) charge(`p{"user":${user}}`);
    const seen: string[] = [];
    let page = list("p", 10);
    seen.push(...page.counts.map(({ cell }) => cell));
    void store.view.reset({ cell: 'p{"user":3}', algorithm, windowMs });
    void store.view.reset({ cell: 'p{"user":20}', algorithm, windowMs });
    charge('p{"user":25}');
    while (page.cursor !== undefined) {
      page = list("p", 10, page.cursor);
      seen.push(...page.counts.map(({ cell }) => cell));
    }
    // The count of user 25 came after the listing had begun.
    const expected = Array.from({ length: 25 }, (_, user) => `p{"user":${user}}`).filter(
      (_, user) => user !== 20,
    );
    assert.deepEqual(seen, expected);
  });

  it("has the limit of the last charge, but not of a read or a block", () => {
    const { charge, list } = setUp();
    charge("p{}", { limit: 7 });
    charge("p{}", { limit: 20, amount: 0 });
    charge("p{}", { limit: 0 });
    assert.deepEqual(list("p", 10).counts, [{ cell: "p{}", lastLimit: 7 }]);
    charge("none{}", { limit: 0 });
    assert.deepEqual(list("none", 10).counts, [{ cell: "none{}" }]);
  });

  it("leaves out counts that are over, and those of an earlier window", () => {
    const { charge, list, time } = setUp();
    charge("p{}", { windowMs: windowMs * 100 });
    assert.deepEqual(list("p", 10).counts, []);
    charge("p{}");
    assert.equal(list("p", 10).counts.length, 1);
    time.advance(windowMs);
    assert.deepEqual(list("p", 10).counts, []);
  });

  it("refuses a cursor that was used, and one of an old listing", () => {
    const { charge, list } = setUp();
    for (const user of [1, 2, 3]) charge(`p{"user":${user}}`);
    const { cursor = "" } = list("p", 1);
    list("p", 1, cursor);
    const refusal = { code: "PURSER_REQUEST_INVALID", message: /list from the beginning/ };
    assert.throws(() => list("p", 1, cursor), refusal);
    const old = list("p", 1).cursor ?? "";
    for (let listing = 0; listing < 16; listing++) list("p", 1);
    assert.throws(() => list("p", 1, old), refusal);
  });

  it("ends a page after many counts of other policies, with a cursor", () => {
    const { charge, list } = setUp({ sharesCounts: false });
    for (let user = 0; user < 60_000; user++) charge(`other{"user":${user}}`);
    charge("p{}");
    const first = list("p", 10);
    assert.deepEqual(first.counts, []);
    assert.deepEqual(list("p", 10, first.cursor).counts, [{ cell: "p{}", lastLimit: 10 }]);
  });

  it("does not reset a count that several keys share", () => {
    const { charge, list, store } = setUp({ maxCells: 10 });
    for (let user = 0; user < 9; user++) charge(`p{"user":${user}}`);
    const own = 'p{"user":0}';
    const sharing = 'p{"user":8}';
    assert.ok(list("p", 100).counts.some(({ cell }) => cell.startsWith("p{#")));
    assert.equal(store.view.reset({ cell: sharing, algorithm, windowMs }), "shared");
    assert.equal(store.view.reset({ cell: own, algorithm, windowMs }), "reset");
    assert.equal(
      createMemoryQuotaStore({ clock: createVirtualTime().clock, sharesCounts: false }).view.reset({
        cell: own,
        algorithm,
        windowMs,
      }),
      "absent",
    );
  });
});
