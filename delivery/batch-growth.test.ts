// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { PurserError } from "../kernel/errors.ts";
import { createSeededRandom, createVirtualTime, type VirtualTime } from "../plugins/sdk/testing/index.ts";
import { Delivery } from "./delivery.ts";
import { MemoryQueue } from "./memory-queue.ts";

interface Setting {
  readonly maxBytes?: number;
  readonly batchBytes?: number;
  readonly attempts?: number;
  /** Answers a batch; at once by default. */
  readonly send?: (items: readonly number[], time: VirtualTime) => Promise<void> | void;
}

const BATCH = 10;
const TIMEOUT_MS = 1_000;

/** A delivery with the sizes of its calls. Each item has one byte. */
function setUp({ maxBytes = 1_000_000, batchBytes, attempts = 4, send = () => {} }: Setting = {}) {
  const time = createVirtualTime();
  const sizes: number[] = [];
  const received: number[] = [];
  const settings = { batchSize: BATCH, lingerMs: 10, queueSize: 100_000, attempts, timeoutMs: TIMEOUT_MS };
  const { clock, scheduler } = time;
  const delivery = new Delivery<number>({
    settings: { ...settings, ...(batchBytes === undefined ? {} : { batchBytes }) },
    queue: new MemoryQueue<number>(clock, batchBytes === undefined ? undefined : () => 1),
    growth: { maxItems: 80, maxBytes, sizeOf: () => 1 },
    send: async ({ items }) => {
      sizes.push(items.length);
      await send(items, time);
      received.push(...items);
    },
    onTimeout: () => new PurserError("PURSER_HANDLER_TIMEOUT", "late"),
    events: {},
    clock,
    random: createSeededRandom(),
    scheduler,
  });
  const offer = (count: number): void => {
    for (let item = 0; item < count; item++) delivery.offer(item);
  };
  return { time, sizes, received, delivery, offer };
}

/** Time that passes in a virtual call. */
const lasting = (time: VirtualTime, durationMs: number): Promise<void> =>
  new Promise((resolve) => void time.scheduler.after(durationMs, resolve));

describe("the size of batches", () => {
  it("doubles up to its bound while items wait, and is the usual one while none do", async () => {
    const { time, sizes, received, offer } = setUp();
    offer(400);
    await time.advanceAndSettle(0);
    assert.deepEqual(sizes, [10, 20, 40, 80, 80, 80, 80, 10]);
    assert.deepEqual(
      received,
      Array.from({ length: 400 }, (_, index) => index),
    );
    sizes.length = 0;
    for (let turn = 0; turn < 5; turn++) {
      offer(BATCH);
      await time.advanceAndSettle(0);
    }
    assert.deepEqual(sizes, [10, 10, 10, 10, 10]);
  });

  it("ends with the batch's bytes, those of the queue or those of a sample", async () => {
    const sampled = setUp({ maxBytes: 25 });
    sampled.offer(400);
    await sampled.time.advanceAndSettle(0);
    // Two of ten items are measured, and stand for sixteen.
    assert.deepEqual(Math.max(...sampled.sizes), 20);
    const measured = setUp({ batchBytes: 25 });
    measured.offer(400);
    await measured.time.advanceAndSettle(0);
    assert.deepEqual(Math.max(...measured.sizes), 25);
    for (const { delivery, received } of [sampled, measured])
      assert.deepEqual([delivery.stats.delivered, received.length], [400, 400]);
  });

  it("stays where calls take more than a quarter of their timeout, and shrinks beyond half of it", async () => {
    let msPerItem = 10;
    const { time, sizes, offer } = setUp({
      send: (items, own) => lasting(own, items.length * msPerItem),
    });
    offer(100);
    await time.advanceAndSettle(10_000);
    assert.deepEqual(sizes, [10, 20, 40, 30]);
    msPerItem = 20;
    sizes.length = 0;
    offer(200);
    await time.advanceAndSettle(10_000);
    // 40 items take 800 ms; 20 take 400.
    assert.deepEqual(sizes, [10, 40, ...Array.from({ length: 7 }, () => 20), 10]);
  });

  it("does not grow again beyond half of what was too large", async () => {
    const { time, sizes, received, offer } = setUp({
      send: (items) => {
        if (items.length > 30) throw new PurserError("PURSER_REQUEST_TOO_LARGE", "too large");
      },
    });
    offer(300);
    await time.advanceAndSettle(0);
    assert.deepEqual(sizes, [10, 20, 40, 20, 20, ...Array.from({ length: 11 }, () => 20), 10]);
    assert.equal(received.length, 300);
  });

  it("is halved when a large batch times out twice, so that a slower receiver gets every item", async () => {
    let most = 1_000;
    const { time, sizes, received, delivery, offer } = setUp({
      attempts: Number.POSITIVE_INFINITY,
      send: (items, own) => (items.length > most ? lasting(own, 1_000_000) : undefined),
    });
    offer(70);
    await time.advanceAndSettle(0);
    most = BATCH;
    sizes.length = 0;
    offer(90);
    await time.advanceAndSettle(60_000);
    const quarter = [20, 20, 10, 10];
    const half = [40, 40, ...quarter, ...quarter];
    assert.deepEqual(sizes, [10, 80, 80, ...half, ...half]);
    assert.equal(received.length, 160);
    assert.deepEqual(
      received.slice(70),
      Array.from({ length: 90 }, (_, index) => index),
    );
    assert.deepEqual([delivery.stats.delivered, delivery.stats.dropped], [160, {}]);
  });
});
