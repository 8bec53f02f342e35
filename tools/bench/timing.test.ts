// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { measureAlternating, quantile, runBatch, type Sink } from "./timing.ts";

describe("timing", () => {
  it("takes the nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1)], [50, 99, 100]);
    assert.equal(quantile([7], 0.01), 7);
  });

  it("runs each turn once, in order, and awaits promises", async () => {
    const turns: number[] = [];
    const sink: Sink = { seen: 0 };
    const tookMs = await runBatch(
      (turn) => {
        turns.push(turn);
        return turn % 2 === 0 ? Promise.resolve(true) : false;
      },
      6,
      10,
      sink,
    );
    assert.deepEqual(turns, [10, 11, 12, 13, 14, 15]);
    assert.equal(sink.seen, 3);
    assert.ok(tookMs > 0);
  });

  it("measures the slower of two operations as slower", async () => {
    const work = (rounds: number) => () => {
      let sum = 0;
      for (let round = 0; round < rounds; round++) sum += Math.sqrt(round);
      return sum;
    };
    const [quickNs = 0, slowNs = 0] = await measureAlternating([work(10), work(10_000)], 40, { seen: 0 });
    assert.ok(slowNs > quickNs * 5, `${slowNs} ns and ${quickNs} ns`);
  });
});
