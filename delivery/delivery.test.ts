// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { PurserError } from "../kernel/errors.ts";
import type { DeliverySettings } from "../core/snapshot/snapshot.ts";
import { createSeededRandom, createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { Delivery, type DeliveryOptions } from "./delivery.ts";

const BREAKER_FAILURES = 5;
const BREAKER_OPEN_MS = 5_000;

const passing = () => new PurserError("PURSER_HANDLER_FAILED", "away", { retryable: true });
const tooLarge = () => new PurserError("PURSER_REQUEST_TOO_LARGE", "too large");
const permanent = () => new PurserError("PURSER_HANDLER_FAILED", "refused", { retryable: false });

function setUp(settings: Partial<DeliverySettings> = {}, options: Partial<DeliveryOptions<number>> = {}) {
  const time = createVirtualTime();
  const batches: number[][] = [];
  const drops: string[] = [];
  const script: (() => unknown)[] = [];
  const accepted = { items: [] as number[] };
  const delivery = new Delivery<number>({
    settings: { batchSize: 3, lingerMs: 1_000, queueSize: 10, attempts: 3, timeoutMs: 500, ...settings },
    breaker: { failures: BREAKER_FAILURES, openMs: BREAKER_OPEN_MS },
    send: ({ items: batch }) => {
      batches.push([...batch]);
      const answer = (script.shift() ?? (() => undefined))() as Promise<void> | void;
      const accept = (): void => void accepted.items.push(...batch);
      return answer === undefined ? accept() : answer.then(accept);
    },
    onTimeout: () => new PurserError("PURSER_HANDLER_TIMEOUT", "late"),
    clock: time.clock,
    random: createSeededRandom(),
    scheduler: time.scheduler,
    events: {
      dropped: (items, reason) => void drops.push(`${items} ${reason}`),
      sending: ({ attempts }) => {
        if (attempts > 1) drops.push("retry");
      },
    },
    ...options,
  });
  return { time, batches, drops, script, delivery, accepted };
}

const fail = (error: () => Error) => () => Promise.reject(error());

describe("delivery", () => {
  it("sends a full batch at once and a partial one after the linger", async () => {
    const { time, batches, delivery } = setUp();
    for (const item of [1, 2, 3, 4]) delivery.offer(item);
    await time.advanceAndSettle(0);
    assert.deepEqual(batches, [[1, 2, 3]]);
    await time.advanceAndSettle(999);
    assert.equal(batches.length, 1);
    await time.advanceAndSettle(1);
    assert.deepEqual(batches, [[1, 2, 3], [4]]);
    assert.equal(time.scheduled, 0);
  });

  it("drops the oldest items when the queue is full, and counts them", async () => {
    const { time, batches, drops, script, delivery } = setUp({ batchSize: 2, queueSize: 2 });
    let finish = (): void => {};
    script.push(() => new Promise<void>((resolve) => (finish = resolve)));
    for (const item of [1, 2, 3, 4, 5, 6]) delivery.offer(item);
    assert.deepEqual(drops, ["1 overflow", "1 overflow"]);
    finish();
    await time.advanceAndSettle(0);
    assert.deepEqual(batches, [
      [1, 2],
      [5, 6],
    ]);
    assert.equal(delivery.dropped, 2);
  });

  it("has one batch under way at a time and keeps the order", async () => {
    const { time, batches, script, delivery } = setUp();
    let finish = (): void => {};
    script.push(() => new Promise<void>((resolve) => (finish = resolve)));
    for (const item of [1, 2, 3, 4, 5, 6]) delivery.offer(item);
    await time.advanceAndSettle(100);
    assert.deepEqual(batches, [[1, 2, 3]]);
    finish();
    await time.advanceAndSettle(0);
    assert.deepEqual(batches, [
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it("retries a batch with growing pauses while the failure is retryable", async () => {
    const { time, batches, drops, script, delivery } = setUp();
    script.push(fail(passing), fail(passing));
    for (const item of [1, 2, 3]) delivery.offer(item);
    await time.advanceAndSettle(600);
    assert.deepEqual(batches, [
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    assert.deepEqual(drops, ["retry", "retry"]);
    assert.equal(delivery.depth, 0);
  });

  it("drops a batch after its attempts, and at once when the error is final or has no code", async () => {
    for (const [error, tries] of [
      [passing, 3],
      [permanent, 1],
      [() => new Error("bug"), 1],
    ] as const) {
      const { time, batches, drops, script, delivery } = setUp();
      script.push(fail(error), fail(error), fail(error));
      for (const item of [1, 2, 3]) delivery.offer(item);
      await time.advanceAndSettle(5_000);
      assert.equal(batches.length, tries);
      assert.equal(drops.at(-1), "3 failed");
    }
  });

  it("survives a handler that throws instead of rejecting", async () => {
    const { time, drops, script, delivery } = setUp({ attempts: 1 });
    script.push(() => {
      throw new Error("bug");
    });
    for (const item of [1, 2, 3]) delivery.offer(item);
    await time.advanceAndSettle(0);
    assert.deepEqual(drops, ["3 failed"]);
  });

  it("gives up on a call that hangs and tries again", async () => {
    const { time, batches, script, delivery } = setUp();
    script.push(() => new Promise(() => {}));
    for (const item of [1, 2, 3]) delivery.offer(item);
    await time.advanceAndSettle(499);
    assert.equal(batches.length, 1);
    await time.advanceAndSettle(500);
    assert.equal(batches.length, 2);
  });

  it("stops calling a backend after repeated failures, and then tries it with one call", async () => {
    const { time, batches, script, delivery } = setUp({ attempts: 1, queueSize: 100 });
    for (let failure = 0; failure < BREAKER_FAILURES; failure++) script.push(fail(passing));
    for (let item = 0; item < 3 * (BREAKER_FAILURES + 1); item++) delivery.offer(item);
    await time.advanceAndSettle(0);
    assert.equal(batches.length, BREAKER_FAILURES);
    assert.equal(delivery.broken, true);
    await time.advanceAndSettle(BREAKER_OPEN_MS / 2 - 1);
    assert.equal(batches.length, BREAKER_FAILURES);
    await time.advanceAndSettle(BREAKER_OPEN_MS / 2 + 1);
    assert.equal(batches.length, BREAKER_FAILURES + 1);
    assert.equal(delivery.broken, false);
  });

  it("flushes a partial batch without lingering", async () => {
    const { time, batches, delivery } = setUp();
    delivery.offer(1);
    await delivery.flush(100);
    assert.deepEqual(batches, [[1]]);
    assert.equal(time.scheduled, 0);
  });

  it("closes within its deadline, counts the rest as dropped, and schedules nothing more", async () => {
    const { time, drops, script, delivery } = setUp();
    script.push(() => new Promise(() => {}));
    for (const item of [1, 2, 3, 4]) delivery.offer(item);
    const closed = delivery.close(200);
    await time.advanceAndSettle(200);
    await closed;
    assert.deepEqual(drops, ["1 closed"]);
    delivery.offer(5);
    assert.deepEqual(drops, ["1 closed", "1 closed"]);
    await time.advanceAndSettle(500);
    assert.deepEqual(drops.at(-1), "3 closed");
    assert.equal(time.scheduled, 0);
    await delivery.close(200);
  });

  it("is closed by the earlier of two deadlines, and tries once more before it", async () => {
    const { time, batches, drops, script, delivery } = setUp({ timeoutMs: 20_000 });
    script.push(fail(passing), () => new Promise(() => {}));
    for (const item of [1, 2, 3, 4]) delivery.offer(item);
    await time.advanceAndSettle(0);
    let closed = 0;
    void delivery.close(10_000).then(() => closed++);
    await time.advanceAndSettle(0);
    assert.equal(batches.length, 2, "the pause before the next try ends with close()");
    void delivery.close(200).then(() => closed++);
    await time.advanceAndSettle(199);
    assert.equal(closed, 0);
    await time.advanceAndSettle(1);
    assert.deepEqual([closed, drops.at(-1)], [2, "1 closed"]);
  });

  it("sends a batch that is too large in halves, at once and in order", async () => {
    const { time, batches, drops, script, delivery } = setUp({ batchSize: 4 });
    script.push(
      fail(tooLarge),
      fail(tooLarge),
      () => undefined,
      () => undefined,
      fail(tooLarge),
    );
    for (const item of [1, 2, 3, 4, 5, 6, 7, 8]) delivery.offer(item);
    await time.advanceAndSettle(0);
    assert.deepEqual(batches, [[1, 2, 3, 4], [1, 2], [1], [2], [3, 4], [3], [4], [5, 6, 7, 8]]);
    assert.deepEqual([drops, delivery.depth], [[], 0]);
  });

  it("keeps the order when the first half fails", async () => {
    const { time, script, delivery, accepted } = setUp({ batchSize: 4 });
    script.push(fail(tooLarge), fail(passing));
    for (const item of [1, 2, 3, 4, 5, 6, 7, 8]) delivery.offer(item);
    await time.advanceAndSettle(500);
    assert.deepEqual(accepted.items, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("drops a single item that is too large", async () => {
    const { time, drops, script, delivery } = setUp({ batchSize: 1 });
    script.push(fail(tooLarge));
    delivery.offer(1);
    await time.advanceAndSettle(0);
    assert.deepEqual(drops, ["1 failed"]);
  });

  it("waits for as long as the receiver asks, a minute at most", async () => {
    for (const [askedMs, waitedMs] of [
      [5_000, 5_000],
      [86_400_000, 60_000],
    ] as const) {
      const { time, batches, script, delivery } = setUp();
      const busy = { retryable: true, details: { retryAfterMs: askedMs } };
      script.push(fail(() => new PurserError("PURSER_HANDLER_FAILED", "busy", busy)));
      for (const item of [1, 2, 3]) delivery.offer(item);
      await time.advanceAndSettle(waitedMs - 1);
      assert.equal(batches.length, 1);
      await time.advanceAndSettle(1);
      assert.equal(batches.length, 2);
    }
  });

  it("lets fresh batches overtake a failed one when order does not matter", async () => {
    const { time, batches, script, delivery } = setUp({}, { inOrder: false, maxInFlight: 2 });
    let finish = (): void => {};
    script.push(fail(passing), () => new Promise<void>((resolve) => (finish = resolve)));
    for (const item of [1, 2, 3, 4, 5, 6, 7, 8, 9]) delivery.offer(item);
    await time.advanceAndSettle(0);
    assert.deepEqual(batches, [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [1, 2, 3],
    ]);
    finish();
    await time.advanceAndSettle(0);
    assert.equal(delivery.depth, 0);
  });

  // Property: for any behaviour of the backend and any time of the close, each instance is delivered or
  // counted as dropped, once.
  it("accounts for every instance, keeps the order where asked to, and closes within the deadline", async () => {
    type Step = { readonly kind: "offer" | "wait"; readonly amount: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({ kind: fc.constant("offer" as const), amount: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ kind: fc.constant("wait" as const), amount: fc.integer({ min: 0, max: 2_000 }) }),
    );
    const answer = fc.constantFrom("taken", "passing", "permanent", "large", "throws", "hangs", "slow");
    const ordering = fc.constantFrom(
      { inOrder: true },
      { inOrder: false },
      { inOrder: false, maxInFlight: 3 },
    );
    const sizes = fc.constantFrom(
      undefined,
      { maxItems: 7, maxBytes: 1_000 },
      { maxItems: 100, maxBytes: 40 },
    );
    const closes = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(answer, { maxLength: 30 }),
        closes,
        ordering,
        sizes,
        async (steps, answers, deadlines, order, growth) => {
          const options = {
            ...order,
            ...(growth === undefined ? {} : { growth: { ...growth, sizeOf: () => 10 } }),
          };
          const { time, drops, script, delivery, accepted, batches } = setUp({}, options);
          for (const kind of answers)
            script.push(() => {
              if (kind === "taken") return undefined;
              if (kind === "hangs") return new Promise(() => {});
              if (kind === "slow")
                return new Promise((resolve) => void time.scheduler.after(300, () => resolve(undefined)));
              if (kind === "throws") throw new Error("bug");
              if (kind === "large") return Promise.reject(tooLarge());
              return Promise.reject(kind === "passing" ? passing() : permanent());
            });
          let offered = 0;
          const offer = (): void => delivery.offer(offered++);
          for (const { kind, amount } of steps) {
            if (kind === "wait") await time.advanceAndSettle(amount);
            else for (let index = 0; index < amount; index++) offer();
          }
          let closed = 0;
          for (const deadlineMs of deadlines) void delivery.close(deadlineMs).then(() => closed++);
          await time.advanceAndSettle(Math.min(...deadlines));
          assert.equal(closed, deadlines.length);
          offer();
          // The call under way at the close may still be answered, or time out.
          await time.advanceAndSettle(1_000);
          const dropped = drops.reduce((sum, drop) => sum + (Number.parseInt(drop, 10) || 0), 0);
          assert.equal(dropped + accepted.items.length, offered);
          assert.equal(new Set(accepted.items).size, accepted.items.length, "none is accepted twice");
          if (options.inOrder)
            assert.deepEqual(
              accepted.items,
              accepted.items.toSorted((a, b) => a - b),
            );
          assert.deepEqual([delivery.dropped, delivery.depth, time.scheduled], [dropped, 0, 0]);
          for (const { length } of batches) assert.ok(length <= Math.max(3, growth?.maxItems ?? 0));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("delivery to a receiver that refuses some of a batch", () => {
  const refusing = (...refused: readonly (readonly [number, Error])[]) => ({
    refused: refused.map(([index, error]) => ({ index, error })),
  });

  it("sends the retryable items again, drops the final ones, and counts the rest as delivered", async () => {
    const sent: number[][] = [];
    const answers = [refusing([0, permanent()], [2, passing()], [9, passing()]), undefined];
    const delivered: number[] = [];
    const { time, drops, delivery } = setUp(
      { batchSize: 4 },
      {
        send: ({ items }) => {
          sent.push([...items]);
          return answers.shift();
        },
        events: {
          delivered: ({ items }) => void delivered.push(...items),
          dropped: (items, reason) => void drops.push(`${items} ${reason}`),
        },
      },
    );
    for (const item of [1, 2, 3, 4]) delivery.offer(item);
    await time.advanceAndSettle(20_000);
    assert.deepEqual(sent, [[1, 2, 3, 4], [3]]);
    assert.deepEqual(delivered, [2, 4, 3]);
    assert.deepEqual(drops, ["1 refused"]);
    assert.equal(delivery.depth, 0);
  });

  it("keeps the attempts of an item that is refused again and again", async () => {
    let tries = 0;
    const { time, drops, delivery } = setUp(
      {},
      {
        send: () => {
          tries++;
          return refusing([0, passing()]);
        },
      },
    );
    delivery.offer(1);
    await time.advanceAndSettle(60_000);
    assert.equal(tries, 3);
    assert.equal(delivery.dropped, 1);
    assert.deepEqual(drops, ["retry", "retry", "1 refused"]);
  });
});
