// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { PurserError } from "../kernel/errors.ts";
import { createSeededRandom, createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { Delivery } from "./delivery.ts";
import { Lanes } from "./lanes.ts";

interface Item {
  readonly key: string;
  readonly n: number;
}

/** @param fails Whether a try fails, by its number. */
function setUp(fails: (attempt: number) => boolean = () => false) {
  const time = createVirtualTime();
  const arrived: Item[] = [];
  let attempts = 0;
  const lane = (): Delivery<Item> =>
    new Delivery<Item>({
      settings: { batchSize: 4, lingerMs: 10, queueSize: 1_000, attempts: 1_000, timeoutMs: 500 },
      send: async ({ items }) => {
        await new Promise<void>((resolve) => void time.scheduler.after(5, resolve));
        if (fails(attempts++)) throw new PurserError("PURSER_HANDLER_FAILED", "busy", { retryable: true });
        arrived.push(...items);
      },
      onTimeout: () => new PurserError("PURSER_HANDLER_TIMEOUT", "late"),
      events: {},
      growth: { maxItems: 16, maxBytes: 1_000, sizeOf: () => 10 },
      clock: time.clock,
      random: createSeededRandom(),
      scheduler: time.scheduler,
    });
  const lanes = new Lanes<Item>([lane(), lane(), lane()], ({ key }) => {
    if (key === "throws") throw new Error("no key");
    return key;
  });
  return { time, lanes, arrived };
}

describe("lanes of deliveries", () => {
  it("keep the order of each key, lose nothing and count everything, whatever fails", async () => {
    const item = fc.record({ key: fc.constantFrom("a", "b", "c", "d", "", "throws"), n: fc.constant(0) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { maxLength: 60 }),
        fc.infiniteStream(fc.boolean()),
        async (items, coins) => {
          const { time, lanes, arrived } = setUp((attempt) => attempt < 200 && coins.next().value === true);
          const offered = items.map(({ key }, n) => ({ key, n }));
          for (const one of offered) {
            lanes.offer(one);
            if (one.n % 7 === 0) await time.advanceAndSettle(3);
          }
          await time.advanceAndSettle(10_000_000);
          assert.deepEqual(
            arrived.toSorted((a, b) => a.n - b.n),
            offered,
          );
          for (const key of new Set(offered.map((one) => one.key))) {
            const own = arrived.filter((one) => one.key === key).map(({ n }) => n);
            assert.deepEqual(
              own,
              own.toSorted((a, b) => a - b),
            );
          }
          const { stats } = lanes;
          assert.deepEqual(
            [stats.accepted, stats.delivered, stats.waiting, stats.dropped, lanes.offered, lanes.depth],
            [offered.length, offered.length, 0, {}, offered.length, 0],
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("do not wait for each other", async () => {
    const { time, lanes, arrived } = setUp((attempt) => attempt === 0);
    lanes.offer({ key: "a", n: 0 });
    await time.advanceAndSettle(11);
    for (const key of ["b", "c", "d", "e", "f"]) lanes.offer({ key, n: 1 });
    await time.advanceAndSettle(30);
    assert.ok(arrived.length > 0 && arrived.every(({ key }) => key !== "a"));
    assert.equal(lanes.stats.lastError?.message, "busy");
    assert.ok(lanes.stats.oldestMs > 0);
    const flushed = lanes.flush(10_000);
    await time.advanceAndSettle(10_000);
    await flushed;
    assert.equal(arrived.length, 6);
    assert.equal(lanes.stats.retried, 1);
    assert.equal(lanes.whenDurable(), undefined);
    const closed = lanes.close(10);
    await time.advanceAndSettle(10);
    await closed;
    lanes.offer({ key: "a", n: 9 });
    assert.deepEqual(lanes.stats.dropped, { closed: 1 });
  });
});
