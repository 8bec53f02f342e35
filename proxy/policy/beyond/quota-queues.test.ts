// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { QuotaQueues, type RequestLife, type Try, type Wait, type WaitEnd } from "./quota-queues.ts";

class Client implements RequestLife {
  finished = false;
  readonly #callbacks: (() => void)[] = [];

  onceFinished(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  leave(): void {
    this.finished = true;
    for (const callback of this.#callbacks) callback();
  }
}

function setUp() {
  const time = createVirtualTime();
  const queues = new QuotaQueues(time.scheduler, () => time.clock.monotonicMs());
  const ends: [number, WaitEnd<number>["kind"] | "failed"][] = [];
  /** Amounts that can be taken. */
  const count = { left: 0, tries: 0 };
  const take = (id: number): Try<number> => {
    count.tries++;
    if (count.left === 0) return { kind: "again", retryAfterMs: 50 };
    count.left--;
    return { kind: "done", value: id };
  };
  const wait = (id: number, fields: Partial<Wait<number>> = {}): void => {
    void queues
      .wait<number>({
        cell: "q{}",
        policy: "q",
        length: 3,
        deadlineMs: time.clock.monotonicMs() + 500,
        retryAfterMs: 50,
        life: undefined,
        attempt: () => take(id),
        ...fields,
      })
      .then(
        ({ kind }) => ends.push([id, kind]),
        () => ends.push([id, "failed"]),
      );
  };
  return { time, queues, ends, count, wait, take };
}

describe("queues for quotas", () => {
  it("let the first request try, and after it the next, in order", async () => {
    const { time, queues, ends, count, wait } = setUp();
    for (const id of [1, 2, 3]) wait(id);
    assert.equal(queues.size, 3);
    assert.equal(queues.nextTryInMs("q{}"), 50);
    await time.advanceAndSettle(49);
    assert.equal(count.tries, 0);
    count.left = 2;
    await time.advanceAndSettle(1);
    assert.deepEqual(ends, [
      [1, "done"],
      [2, "done"],
    ]);
    assert.equal(count.tries, 3);
    count.left = 1;
    await time.advanceAndSettle(50);
    assert.deepEqual(ends.at(-1), [3, "done"]);
    assert.equal(queues.empty, true);
    assert.equal(queues.nextTryInMs("q{}"), undefined);
  });

  it("are bounded for each policy, over all its counts", async () => {
    const { time, ends, wait } = setUp();
    for (const id of [1, 2, 3, 4]) wait(id, { cell: `q{${id}}` });
    wait(5, { policy: "other", cell: "other{}" });
    await time.advanceAndSettle(0);
    assert.deepEqual(ends, [[4, "full"]]);
  });

  it("end at each request's deadline", async () => {
    const { time, ends, wait, queues } = setUp();
    wait(1);
    wait(2, { deadlineMs: time.clock.monotonicMs() + 120 });
    await time.advanceAndSettle(120);
    assert.deepEqual(ends, [[2, "timed out"]]);
    await time.advanceAndSettle(380);
    assert.deepEqual(ends.at(-1), [1, "timed out"]);
    assert.equal(queues.size, 0);
  });

  it("let go of a request whose client leaves, and of one that has left already", async () => {
    const { time, ends, count, wait } = setUp();
    const [first, second] = [new Client(), new Client()];
    wait(1, { life: first });
    wait(2);
    first.leave();
    second.leave();
    wait(3, { life: second });
    count.left = 1;
    await time.advanceAndSettle(50);
    assert.deepEqual(ends, [
      [1, "left"],
      [3, "left"],
      [2, "done"],
    ]);
  });

  it("try again within 100 ms, and at once when something is given back", async () => {
    const { time, ends, count, wait, queues } = setUp();
    wait(1, { retryAfterMs: 400 });
    await time.advanceAndSettle(100);
    assert.equal(count.tries, 1);
    count.left = 1;
    queues.wake("q{}");
    queues.wake("unknown{}");
    await time.advanceAndSettle(0);
    assert.deepEqual(ends, [[1, "done"]]);
  });

  it("finish a try that is under way, whatever ends the wait meanwhile", async () => {
    const { time, ends, count, wait, queues, take } = setUp();
    const slow = (id: number) => (): Promise<Try<number>> =>
      new Promise((resolve) => {
        const result = take(id);
        time.scheduler.after(30, () => resolve(result));
      });
    const client = new Client();
    count.left = 1;
    wait(1, { life: client, attempt: slow(1) });
    wait(2, { life: client, attempt: slow(2) });
    await time.advanceAndSettle(60);
    client.leave();
    await time.advanceAndSettle(20);
    assert.deepEqual(ends, [
      [2, "left"],
      [1, "done"],
    ]);
    wait(3, { attempt: slow(3) });
    await time.advanceAndSettle(60);
    queues.end("stale");
    assert.equal(queues.size, 1);
    await time.advanceAndSettle(20);
    assert.deepEqual(ends.at(-1), [3, "stale"]);
  });

  it("go on after a try that fails", async () => {
    const { time, ends, count, wait } = setUp();
    count.left = 1;
    const broken = (): never => {
      throw new Error("broken");
    };
    wait(1, { attempt: broken });
    wait(2, { attempt: () => Promise.reject(new Error("broken")) });
    wait(3);
    await time.advanceAndSettle(50);
    assert.deepEqual(ends, [
      [1, "failed"],
      [2, "failed"],
      [3, "done"],
    ]);
  });

  it("take nobody after they are closed", async () => {
    const { time, ends, wait, queues } = setUp();
    wait(1);
    queues.end("closed");
    wait(2);
    await time.advanceAndSettle(0);
    assert.deepEqual(ends, [
      [1, "closed"],
      [2, "closed"],
    ]);
  });
});
