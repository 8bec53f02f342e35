// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
  createVirtualTime,
} from "./index.ts";

describe("virtual time", () => {
  it("passes only when the test says so, on both clocks", () => {
    const time = createVirtualTime(1000);
    assert.deepEqual([time.clock.nowMs(), time.clock.monotonicMs()], [1000, 0]);
    time.advance(250);
    assert.deepEqual([time.clock.nowMs(), time.clock.monotonicMs()], [1250, 250]);
  });

  it("runs due tasks in order, each at its own time", () => {
    const time = createVirtualTime();
    const ran: string[] = [];
    const note = (what: string) => () => void ran.push(`${what}@${time.clock.monotonicMs()}`);
    time.scheduler.after(30, note("c"));
    time.scheduler.after(10, note("a"));
    time.scheduler.after(10, note("b"));
    time.scheduler.every(20, note("tick"));
    time.scheduler.after(41, note("late"));
    time.advance(40);
    assert.deepEqual(ran, ["a@10", "b@10", "tick@20", "c@30", "tick@40"]);
  });

  it("runs tasks that a task schedules, if they are due within the same step", () => {
    const time = createVirtualTime();
    let ran = 0;
    time.scheduler.after(5, () => time.scheduler.after(5, () => ran++));
    time.advance(9);
    assert.equal(ran, 0);
    time.advance(1);
    assert.equal(ran, 1);
  });

  it("counts tasks that are neither done nor cancelled", () => {
    const time = createVirtualTime();
    const cancel = time.scheduler.every(10, () => {});
    time.scheduler.after(10, () => {});
    assert.equal(time.scheduled, 2);
    time.advance(10);
    assert.equal(time.scheduled, 1);
    cancel();
    cancel();
    assert.equal(time.scheduled, 0);
  });

  it("lets promises settle between tasks with advanceAndSettle", async () => {
    const time = createVirtualTime();
    const order: string[] = [];
    time.scheduler.after(1, () => void Promise.resolve().then(() => order.push("promise")));
    time.scheduler.after(2, () => order.push("task"));
    await time.advanceAndSettle(2);
    assert.deepEqual(order, ["promise", "task"]);
  });

  it("sets the wall clock without changing the monotonic one", () => {
    const time = createVirtualTime(1000);
    time.advance(10);
    time.setWallClock(500);
    assert.deepEqual([time.clock.nowMs(), time.clock.monotonicMs()], [500, 10]);
  });

  it("refuses a task that reschedules itself for ever", () => {
    const time = createVirtualTime();
    const again = (): void => void time.scheduler.after(0, again);
    again();
    assert.throws(() => time.advance(1), /more than 100000 tasks/);
  });
});

describe("real time", () => {
  it("counts tasks that are neither done nor cancelled", async () => {
    const time = createRealTime();
    const cancel = time.scheduler.every(1000, () => {});
    await new Promise<void>((resolve) => void time.scheduler.after(1, resolve));
    assert.equal(time.scheduled, 1);
    cancel();
    assert.equal(time.scheduled, 0);
  });
});

describe("memory files", () => {
  it("calls a watcher with the current text and after each change, until it is cancelled", () => {
    const files = createMemoryFiles({ a: "one" });
    const seen: string[] = [];
    const cancel = files.watch(
      "a",
      (text) => void seen.push(text),
      (error) => void seen.push(error.message),
    );
    files.set("a", "two");
    files.set("b", "other");
    files.fail("a", new Error("gone"));
    assert.equal(files.watching, 1);
    cancel();
    files.set("a", "three");
    assert.deepEqual(seen, ["one", "two", "gone"]);
    assert.equal(files.watching, 0);
  });

  it("lets watchers wait for a file that has not been read yet", () => {
    const files = createMemoryFiles();
    const seen: string[] = [];
    files.watch(
      "a",
      (text) => void seen.push(text),
      () => assert.fail("it is not unreadable"),
    );
    assert.deepEqual(seen, []);
    files.set("a", "text");
    assert.deepEqual(seen, ["text"]);
  });
});

describe("the collecting logger", () => {
  it("keeps lines in order, with the fields of the children that wrote them", () => {
    const logger = createCollectingLogger();
    logger.child({ handler: "h" }).warn("slow", { ms: 5 });
    logger.info("done");
    assert.deepEqual(logger.lines, [
      { level: "warn", message: "slow", fields: { handler: "h", ms: 5 } },
      { level: "info", message: "done", fields: {} },
    ]);
  });
});

describe("the seeded random", () => {
  it("repeats for a seed, differs between seeds, and fills [0, 1)", () => {
    const draw = (seed: number) => Array.from({ length: 1000 }, createSeededRandom(seed));
    assert.deepEqual(draw(7), draw(7));
    assert.notDeepEqual(draw(7), draw(8));
    assert.ok(draw(7).every((number) => number >= 0 && number < 1));
    const mean = draw(7).reduce((sum, number) => sum + number, 0) / 1000;
    assert.ok(Math.abs(mean - 0.5) < 0.05, `mean ${mean}`);
  });
});
