// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { isPurserError } from "../../plugins/sdk/index.ts";
import { createLineWriter } from "./line-writer.ts";

/** A stream that takes one chunk at a time, when the test says so. */
class SlowStream extends Writable {
  readonly taken: string[] = [];
  #next: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 16, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.taken.push(chunk);
    this.#next = done;
  }

  /** Finishes the chunk under way. */
  async take(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    next?.();
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

const LONG = "a line that is longer than the mark";

function never(): { readonly signal: AbortSignal } {
  return new AbortController();
}

function isPermanent(error: unknown): boolean {
  return isPurserError(error) && error.code === "PURSER_HANDLER_FAILED" && !error.retryable;
}

describe("the line writer", () => {
  it("writes a batch at once, as lines, while the stream is not full", () => {
    const stream = new SlowStream();
    assert.equal(createLineWriter(stream).write(["a", "b"], never()), undefined);
    assert.deepEqual(stream.taken, ["a\nb\n"]);
  });

  it("writes nothing for an empty batch", () => {
    const stream = new SlowStream();
    assert.equal(createLineWriter(stream).write([], never()), undefined);
    assert.deepEqual(stream.taken, []);
  });

  it("waits for a full stream, so that it holds one batch at most", async () => {
    const stream = new SlowStream();
    const writer = createLineWriter(stream);
    await writer.write([LONG], never());
    let second = false;
    const waiting = Promise.resolve(writer.write([`${LONG} 2`], never())).then(() => (second = true));
    await new Promise((resolve) => void setImmediate(resolve));
    assert.equal(second, false);
    assert.ok(stream.writableLength <= LONG.length + 1, "the second batch is not in the stream's buffer");
    await stream.take();
    await waiting;
    assert.deepEqual(stream.taken, [`${LONG}\n`, `${LONG} 2\n`]);
  });

  it("wakes one waiting batch after the other, with any number of writers on the stream", async () => {
    const stream = new SlowStream();
    const writers = Array.from({ length: 20 }, () => createLineWriter(stream));
    const written = writers.map(async (writer, index) => await writer.write([`${LONG} ${index}`], never()));
    for (let batch = 0; batch < 20; batch++) {
      assert.ok(stream.writableLength <= LONG.length + 4);
      await stream.take();
    }
    await Promise.all(written);
    assert.equal(stream.taken.length, 20);
    assert.ok(stream.listenerCount("drain") <= 1, "no listener for each writer");
  });

  it("rejects without writing when the signal aborts, so that the batch can be retried", async () => {
    const stream = new SlowStream();
    const writer = createLineWriter(stream);
    await writer.write([LONG], never());
    const controller = new AbortController();
    const waiting = Promise.resolve(writer.write(["late"], controller));
    controller.abort();
    await assert.rejects(waiting, { code: "PURSER_HANDLER_TIMEOUT", retryable: true });
    await stream.take();
    assert.deepEqual(stream.taken, [`${LONG}\n`]);
    await writer.write(["late"], never());
    assert.deepEqual(stream.taken, [`${LONG}\n`, "late\n"]);
  });

  it("fails permanently once the reader closed the pipe, and keeps the process alive", async () => {
    const stream = new SlowStream();
    const writer = createLineWriter(stream);
    await writer.write([LONG], never());
    const waiting = Promise.resolve(writer.write(["next"], never()));
    stream.destroy(new Error("write EPIPE"));
    await assert.rejects(waiting, isPermanent);
    assert.throws(() => writer.write(["more"], never()), isPermanent);
    assert.equal(writer.healthy, false);
  });

  it("ends every wait when it is closed, and leaves the stream open", async () => {
    const stream = new SlowStream();
    const [writer, other] = [createLineWriter(stream), createLineWriter(stream)];
    await writer.write([LONG], never());
    const waiting = Promise.resolve(writer.write(["next"], never()));
    writer.close();
    writer.close();
    await assert.rejects(waiting, isPermanent);
    await stream.take();
    await other.write(["other"], never());
    assert.deepEqual(stream.taken, [`${LONG}\n`, "other\n"]);
    assert.equal(stream.destroyed, false);
  });
});
