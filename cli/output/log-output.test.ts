// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { createLogOutput, MAX_UNREAD_LOG_BYTES } from "./log-output.ts";

const LINE = `${"x".repeat(1_023)}\n`;

/** A stream whose reader takes a chunk only when the test says so. */
class UnreadStream extends Writable {
  readonly taken: string[] = [];
  #next: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk.toString());
    this.#next = done;
  }

  async readAll(): Promise<void> {
    while (this.#next !== undefined) {
      const next = this.#next;
      this.#next = undefined;
      next();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe("the log's output", () => {
  it("holds a bounded number of bytes, counts further lines, and reports them once the reader catches up", async () => {
    const stream = new UnreadStream();
    const dropped: number[] = [];
    const write = createLogOutput(stream, (lines) => dropped.push(lines));
    for (let line = 0; line < 3_000; line++) write(LINE);
    assert.ok(stream.writableLength <= MAX_UNREAD_LOG_BYTES + LINE.length);
    assert.deepEqual(dropped, []);
    await stream.readAll();
    assert.deepEqual([dropped.length, stream.taken.length + (dropped[0] ?? 0)], [1, 3_000]);
    write("after\n");
    assert.equal(stream.taken.at(-1), "after\n");
  });

  it("never throws, even when the stream throws (full disk) or its reader is gone", async () => {
    const full = new UnreadStream();
    full.write = () => {
      throw Object.assign(new Error("no space"), { code: "ENOSPC" });
    };
    createLogOutput(full, () => {})(LINE);
    const broken = new UnreadStream();
    const write = createLogOutput(broken, () => {});
    broken.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    await new Promise((resolve) => setImmediate(resolve));
    write(LINE);
  });
});
