// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { createCollectingLogger } from "../../plugins/sdk/testing/index.ts";
import { type RunningPart, stopAll } from "./stopping.ts";

const part = (name: string, close: (deadlineMs: number) => Promise<void>): RunningPart => ({ name, close });

async function stop(parts: readonly RunningPart[], deadlineMs: number, outputs: readonly Writable[] = []) {
  const logger = createCollectingLogger();
  const startMs = performance.now();
  await stopAll(parts, deadlineMs, logger, outputs);
  return { tookMs: performance.now() - startMs, lines: logger.lines.map(({ fields }) => fields) };
}

describe("stopping the parts", () => {
  it("goes in reverse order of the start, even when a part throws", async () => {
    const order: string[] = [];
    const { lines, tookMs } = await stop(
      [
        part("first", () => Promise.resolve(void order.push("first"))),
        part("faulty", () => Promise.reject(new Error("no"))),
        part("last", () => Promise.resolve(void order.push("last"))),
      ],
      5_000,
    );
    assert.deepEqual([order, lines], [["last", "first"], [{ part: "faulty", error: "no" }]]);
    assert.ok(tookMs < 1_000);
  });

  it("keeps the deadline when a part never ends, and still stops the other parts", async () => {
    for (const hung of [0, 1, 2]) {
      const asked: number[] = [];
      const parts = [0, 1, 2].map((index) =>
        part(`${index}`, (deadlineMs) => {
          asked.push(deadlineMs);
          return index === hung ? new Promise<void>(() => {}) : Promise.resolve();
        }),
      );
      const { tookMs, lines } = await stop(parts, 300);
      assert.ok(tookMs < 400, `${tookMs} ms`);
      assert.equal(asked.length, 3);
      assert.deepEqual(lines, [{ part: `${hung}` }]);
    }
  });

  it("waits for unread output until the deadline", async () => {
    const unread = new Writable({ write: () => {} });
    unread.write("a line");
    assert.ok((await stop([], 200, [unread])).tookMs < 300);
    const slow = new Writable({ write: (_chunk, _encoding, done) => void setTimeout(done, 50) });
    slow.write("a line");
    const { tookMs } = await stop([], 5_000, [slow]);
    assert.ok(tookMs > 40 && tookMs < 1_000, `${tookMs} ms`);
    assert.equal(slow.writableLength, 0);
  });
});
