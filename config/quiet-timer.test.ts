// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { QuietTimer } from "./quiet-timer.ts";

describe("a quiet timer", () => {
  let nowMs: number;
  let due: { readonly atMs: number; readonly task: () => void } | undefined;
  let ran: number[];
  let timer: QuietTimer;

  const advanceTo = (toMs: number) => {
    if (due !== undefined && due.atMs <= toMs) {
      nowMs = due.atMs;
      const { task } = due;
      due = undefined;
      task();
    }
    nowMs = toMs;
  };

  beforeEach(() => {
    nowMs = 0;
    due = undefined;
    ran = [];
    timer = new QuietTimer(
      {
        clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
        scheduler: {
          after(delayMs, task) {
            const mine = { atMs: nowMs + delayMs, task };
            due = mine;
            return () => {
              if (due === mine) due = undefined;
            };
          },
          every: () => () => {},
        },
      },
      { quietMs: 75, longestMs: 500 },
      () => ran.push(nowMs),
    );
  });

  it("runs after the quiet time", () => {
    timer.disturb();
    advanceTo(50);
    timer.disturb();
    advanceTo(300);
    assert.deepEqual(ran, [125]);
  });

  it("runs after the longest wait when events keep coming, and starts anew", () => {
    for (let atMs = 0; atMs <= 1_000; atMs += 50) {
      advanceTo(atMs);
      timer.disturb();
    }
    advanceTo(2_000);
    assert.deepEqual(ran, [500, 1_000, 1_075]);
  });

  it("does not run when it is cancelled", () => {
    timer.disturb();
    timer.cancel();
    advanceTo(1_000);
    assert.deepEqual(ran, []);
  });
});
