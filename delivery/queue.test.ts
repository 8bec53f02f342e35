// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { PurserError } from "../kernel/errors.ts";
import { createSeededRandom, createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { Batch } from "./batch.ts";
import { Delivery } from "./delivery.ts";
import { MemoryQueue } from "./memory-queue.ts";
import type { BatchLimit, DeliveryQueue, QueueListener } from "./queue.ts";

/**
 * A simulated queue on disk: items stay in `stored` until they are acknowledged, whatever happens to the
 * process.
 */
class StoredQueue implements DeliveryQueue<number> {
  readonly durable = true;
  readonly bounded = true;
  readonly bytes = 0;
  readonly oldestMs = undefined;
  readonly #stored: Set<number>;
  readonly #waiting: number[];

  constructor(stored: Set<number>) {
    this.#stored = stored;
    this.#waiting = [...stored];
  }

  get size(): number {
    return this.#waiting.length;
  }

  fills({ items }: BatchLimit): boolean {
    return this.size >= items;
  }

  put(item: number): void {
    this.#stored.add(item);
    this.#waiting.push(item);
  }

  take({ items }: BatchLimit): Batch<number> | undefined {
    const taken = this.#waiting.splice(0, items);
    return taken.length === 0 ? undefined : new Batch(taken, 0, taken);
  }

  acknowledge({ sequences }: Batch<number>): void {
    for (const item of sequences) this.#stored.delete(item);
  }

  listen(): void {}

  whenOpen(): undefined {
    return undefined;
  }

  whenDurable(): undefined {
    return undefined;
  }

  close(): void {}
}

const away = (): PurserError => new PurserError("PURSER_HANDLER_FAILED", "away", { retryable: true });

describe("a durable queue", () => {
  it("returns unacknowledged items after a restart, and no others", async () => {
    const stored = new Set<number>();
    const received: number[] = [];
    const run = async (
      send: (items: readonly number[]) => void,
      offered: readonly number[],
    ): Promise<number> => {
      const time = createVirtualTime();
      const delivery = new Delivery<number>({
        settings: { batchSize: 2, lingerMs: 10, queueSize: 100, attempts: 3, timeoutMs: 500 },
        queue: new StoredQueue(stored),
        send: ({ items }) => send(items),
        onTimeout: away,
        events: {},
        growth: { maxItems: 8, maxBytes: 1_000, sizeOf: () => 1 },
        clock: time.clock,
        random: createSeededRandom(),
        scheduler: time.scheduler,
      });
      for (const item of offered) delivery.offer(item);
      const closed = delivery.close(1);
      await time.advanceAndSettle(1);
      await closed;
      return delivery.dropped;
    };
    const take = (items: readonly number[]): void => void received.push(...items);
    const takeFirst = (items: readonly number[]): void => {
      if (items.includes(3)) throw away();
      take(items);
    };
    // The failed batch and the one behind it are kept.
    assert.equal(await run(takeFirst, [1, 2, 3, 4, 5, 6]), 0);
    assert.deepEqual(
      [[...received], [...stored]],
      [
        [1, 2],
        [3, 4, 5, 6],
      ],
    );
    assert.equal(await run(take, [7]), 0);
    assert.deepEqual([received, stored.size], [[1, 2, 3, 4, 5, 6, 7], 0]);
  });
});

describe("a queue whose items are on their way back from the disk", () => {
  /** A StoredQueue that gives nothing until it is told to. */
  class LoadingQueue extends StoredQueue {
    loaded = false;
    listener: QueueListener | undefined;

    override listen(listener?: QueueListener): void {
      this.listener = listener;
    }

    override fills(): boolean {
      return false;
    }

    override take(limit: BatchLimit): Batch<number> | undefined {
      return this.loaded ? super.take(limit) : undefined;
    }
  }

  it("does not hold up a flush or the event loop, and is emptied when they are there", async () => {
    const time = createVirtualTime();
    const queue = new LoadingQueue(new Set([1, 2, 3]));
    const received: number[] = [];
    const delivery = new Delivery<number>({
      settings: { batchSize: 2, lingerMs: 10, queueSize: 100, attempts: 3, timeoutMs: 500 },
      queue,
      send: ({ items }) => void received.push(...items),
      onTimeout: away,
      events: {},
      clock: time.clock,
      random: createSeededRandom(),
      scheduler: time.scheduler,
    });
    const flushed = delivery.flush(1_000);
    await time.advanceAndSettle(100);
    assert.deepEqual(received, []);
    queue.loaded = true;
    queue.listener?.ready();
    await flushed;
    assert.deepEqual(received, [1, 2, 3]);
  });
});

describe("the queue in memory", () => {
  it("is first in, first out, for any sequence of puts and takes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 60 }), (steps) => {
        const queue = new MemoryQueue<number>(createVirtualTime().clock);
        const model: number[] = [];
        let next = 0;
        for (const step of steps) {
          if (step >= 0) {
            for (let count = 0; count < step; count++) {
              queue.put(next);
              model.push(next++);
            }
          } else assert.deepEqual(queue.take({ items: -step })?.items ?? [], model.splice(0, -step));
          assert.equal(queue.size, model.length);
          assert.equal(queue.fills({ items: 3 }), model.length >= 3);
        }
        assert.deepEqual(queue.take({ items: queue.size })?.items ?? [], model);
      }),
    );
  });
});
