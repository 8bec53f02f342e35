// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../plugins/sdk/testing/index.ts";
import { type AbortSignalLike, withDeadline } from "./deadline.ts";

const late = (): Error => new Error("late");

describe("a call with a deadline", () => {
  it("returns an answer at hand as it is, with no timer", () => {
    const time = createVirtualTime();
    assert.equal(
      withDeadline(time.scheduler, 10, () => 7, late),
      7,
    );
    assert.throws(
      () =>
        withDeadline(
          time.scheduler,
          10,
          () => {
            throw new Error("bug");
          },
          late,
        ),
      /bug/,
    );
    assert.equal(time.scheduled, 0);
  });

  it("gives what the work gives in time, and leaves no timer and no listener", async () => {
    const time = createVirtualTime();
    const outer = new AbortController();
    const wait = (ms: number) => new Promise<void>((resolve) => void time.scheduler.after(ms, resolve));
    const answer = withDeadline(time.scheduler, 10, () => wait(9).then(() => "in time"), late, outer.signal);
    await time.advanceAndSettle(9);
    assert.equal(await answer, "in time");
    const failing = withDeadline(time.scheduler, 10, () => Promise.reject(new Error("no")), late);
    await assert.rejects(async () => failing, /no/);
    assert.equal(time.scheduled, 0);
  });

  const cuts: readonly (readonly [
    string,
    (time: ReturnType<typeof createVirtualTime>, outer: AbortController) => void,
  ])[] = [
    ["its time is over", (time) => time.advance(10)],
    ["whoever called gives up", (_, outer) => outer.abort()],
  ];
  for (const [when, cut] of cuts) {
    it(`rejects and aborts its signal when ${when}, whatever the work does then`, async () => {
      const time = createVirtualTime();
      const outer = new AbortController();
      let signal: AbortSignalLike | undefined;
      let finish = (_value: string): void => {};
      const answer = withDeadline(
        time.scheduler,
        10,
        (call) => {
          signal = call.signal;
          return new Promise<string>((resolve) => (finish = resolve));
        },
        late,
        outer.signal,
      );
      cut(time, outer);
      await assert.rejects(async () => answer, /late/);
      assert.deepEqual([signal?.aborted, String(signal?.reason), time.scheduled], [true, "Error: late", 0]);
      finish("too late");
    });
  }

  it("is cut at once when whoever called had given up already", async () => {
    const time = createVirtualTime();
    const given = AbortSignal.abort();
    const answer = withDeadline(time.scheduler, 10, () => new Promise(() => {}), late, given);
    await assert.rejects(async () => answer, /late/);
    assert.equal(time.scheduled, 0);
  });
});
