// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { BatchWriter } from "./batch-writer.ts";

/** Finishes one append at a time, when the test says so. */
function slowFile() {
  const texts: string[] = [];
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  return {
    texts,
    waiting,
    append(text: string): Promise<void> {
      texts.push(text);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    close: () => Promise.resolve(),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const never = new AbortController().signal;

describe("the batch writer", () => {
  it("has one append under way while other batches wait", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    const first = writer.write([1], () => "one", never);
    const second = writer.write([2], () => "two", never);
    await turn();
    assert.deepEqual(file.texts, ["one"]);
    file.waiting[0]?.resolve();
    await first;
    await turn();
    assert.deepEqual(file.texts, ["one", "two"]);
    file.waiting[1]?.resolve();
    await second;
  });

  it("queues nothing behind a file that hangs", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    void writer.write([0], () => "stuck", never).catch(() => {});
    for (let batch = 0; batch < 20; batch++) {
      const controller = new AbortController();
      const late = writer.write([batch], () => "late", controller.signal);
      controller.abort();
      await assert.rejects(late, { code: "PURSER_HANDLER_TIMEOUT", retryable: true });
    }
    assert.deepEqual(file.texts, ["stuck"]);
    file.waiting[0]?.resolve();
  });

  it("writes a batch only once when its deadline passes during the append", async () => {
    for (const endsBeforeRetry of [false, true]) {
      const file = slowFile();
      const writer = new BatchWriter(file);
      const batch = ["a"];
      const controller = new AbortController();
      const late = writer.write(batch, () => "a", controller.signal);
      await turn();
      controller.abort();
      await assert.rejects(late, { code: "PURSER_HANDLER_TIMEOUT" });
      if (endsBeforeRetry) file.waiting[0]?.resolve();
      await turn();
      const again = writer.write(batch, () => "a", never);
      file.waiting[0]?.resolve();
      await again;
      assert.deepEqual(file.texts, ["a"]);
    }
  });

  it("reports a failed append as retryable, and is healthy after a successful one", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    const batch = ["a"];
    const failed = writer.write(batch, () => "a", never);
    await turn();
    file.waiting[0]?.reject(new Error("ENOSPC: no space left on device"));
    await assert.rejects(failed, { code: "PURSER_HANDLER_FAILED", retryable: true, message: /ENOSPC/ });
    assert.equal(writer.healthy, false);
    const again = writer.write(batch, () => "a", never);
    await turn();
    file.waiting[1]?.resolve();
    await again;
    assert.equal(writer.healthy, true);
  });

  it("reports a path that can never be written as permanent", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    const failed = writer.write([1], () => "one", never);
    await turn();
    file.waiting[0]?.reject(Object.assign(new Error("EROFS: read-only file system"), { code: "EROFS" }));
    await assert.rejects(failed, { code: "PURSER_HANDLER_FAILED", retryable: false });
  });

  it("continues after a batch without lines", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    await writer.write([1], () => "", never);
    const next = writer.write([2], () => "two", never);
    await turn();
    file.waiting[0]?.resolve();
    await next;
    assert.deepEqual(file.texts, ["two"]);
  });

  it("closes after the append under way, and refuses further batches", async () => {
    const file = slowFile();
    const writer = new BatchWriter(file);
    const written = writer.write([1], () => "one", never);
    await turn();
    const closed = writer.close();
    file.waiting[0]?.resolve();
    await Promise.all([written, closed]);
    await assert.rejects(
      writer.write([2], () => "two", never),
      { retryable: false },
    );
  });
});
