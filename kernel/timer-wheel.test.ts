// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { TimerWheel, WheelTimer } from "./timer-wheel.ts";

/** A wheel whose timers note the time at which they ran. */
function rig() {
  const time = createVirtualTime();
  const wheel = new TimerWheel(time.clock, time.scheduler);
  const ran: [name: string, atMs: number][] = [];
  const timer = (name: string, then?: () => void): WheelTimer =>
    new WheelTimer({
      onTimer() {
        ran.push([name, time.clock.monotonicMs()]);
        then?.();
      },
    });
  return { time, wheel, ran, timer };
}

describe("a timer wheel", () => {
  it("runs each timer once, never early and at most 10 ms late, whatever is started and cancelled", async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("start" as const),
        timer: fc.nat(5),
        delayMs: fc.oneof(fc.nat(30), fc.nat(20_000), fc.double({ min: 0, max: 100, noNaN: true })),
      }),
      fc.record({ kind: fc.constant("cancel" as const), timer: fc.nat(5) }),
      fc.record({ kind: fc.constant("advance" as const), ms: fc.oneof(fc.nat(12), fc.nat(8_000)) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { time, wheel, ran, timer } = rig();
        const timers = Array.from({ length: 6 }, (_, index) => timer(String(index)));
        const due = new Map<string, number>();
        const check = (): void => {
          for (const [name, atMs] of ran.splice(0)) {
            const dueMs = due.get(name);
            assert.ok(dueMs !== undefined, `${name} ran without being started`);
            assert.ok(atMs >= dueMs && atMs <= dueMs + 10, `${name}, due at ${dueMs}, ran at ${atMs}`);
            due.delete(name);
          }
          const nowMs = time.clock.monotonicMs();
          for (const [name, dueMs] of due) assert.ok(dueMs + 10 >= nowMs, `${name} did not run`);
          assert.equal(wheel.size, due.size);
        };
        for (const one of steps) {
          if (one.kind === "advance") await time.advanceAndSettle(one.ms);
          else if (one.kind === "cancel") {
            wheel.cancel(timers[one.timer] as WheelTimer);
            due.delete(String(one.timer));
          } else {
            wheel.start(timers[one.timer] as WheelTimer, one.delayMs);
            due.set(String(one.timer), time.clock.monotonicMs() + one.delayMs);
          }
          check();
        }
        await time.advanceAndSettle(21_000);
        check();
        assert.equal(due.size, 0);
      }),
      { numRuns: 200 },
    );
  });

  it("runs timers that others start and cancel while the wheel runs", async () => {
    const { time, wheel, ran, timer } = rig();
    const second = timer("second");
    const third = timer("third");
    const again: WheelTimer = timer("first", () => {
      wheel.cancel(second);
      wheel.start(third, 0);
      if (ran.length < 2) wheel.start(again, 7);
    });
    wheel.start(again, 5);
    wheel.start(second, 5);
    await time.advanceAndSettle(100);
    assert.deepEqual(
      ran.map(([name]) => name),
      ["first", "third", "first", "third"],
    );
    assert.equal(second.isStarted, false);
    assert.equal(wheel.size, 0);
  });

  it("uses one timer of the scheduler, and none while no timer is started", async () => {
    const { time, wheel, timer } = rig();
    const timers = Array.from({ length: 100 }, (_, index) => timer(String(index)));
    for (const [index, one] of timers.entries()) wheel.start(one, 15_000 - index);
    assert.equal(time.scheduled, 1);
    for (const one of timers) wheel.cancel(one);
    await time.advanceAndSettle(20_000);
    assert.equal(time.scheduled, 0);
  });

  it("does not stop at a timer whose owner throws", async () => {
    const { time, wheel, ran, timer } = rig();
    wheel.start(
      timer("bad", () => {
        throw new Error("bug");
      }),
      5,
    );
    wheel.start(timer("good"), 5);
    await assert.rejects(time.advanceAndSettle(20), /bug/);
    await time.advanceAndSettle(20);
    assert.deepEqual(
      ran.map(([name]) => name),
      ["bad", "good"],
    );
  });
});
