// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../plugins/sdk/testing/time.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { LongPolls } from "./long-polls.ts";

function setUp(maxPolls = 10) {
  const time = createVirtualTime();
  const polls = new LongPolls(time.scheduler, maxPolls);
  const listeners = new Set<(value: string) => void>();
  let current: string | undefined = "old";
  return {
    time,
    polls,
    listeners,
    publish: (value: string) => {
      current = value;
      for (const listener of listeners) listener(value);
    },
    hold: (
      known: string,
      waitMs = 1_000,
      onGone: (release: () => void) => void = () => {},
      source?: string,
    ) => {
      const watch = (listener: (value: string) => void) => {
        listeners.add(listener);
        if (current !== undefined) listener(current);
        return () => void listeners.delete(listener);
      };
      const isNews = (value: string): boolean => value !== known;
      return polls.hold({ watch, isNews, waitMs, onGone, ...(source === undefined ? {} : { source }) });
    },
  };
}

describe("long polls", () => {
  it("answer at once with a value that the client lacks, otherwise with the next change", async () => {
    const { time, polls, listeners, hold, publish } = setUp();
    assert.equal(await hold("older"), "old");
    const held = hold("old");
    publish("old");
    assert.equal(polls.heldCount, 1);
    publish("new");
    assert.equal(await held, "new");
    assert.deepEqual([polls.heldCount, listeners.size, time.scheduled], [0, 0, 0]);
  });

  it("end without a value after the wait, with a wait of 0, and when the client disconnects", async () => {
    const { time, polls, listeners, hold } = setUp();
    const held = hold("old", 500);
    time.advance(499);
    assert.equal(polls.heldCount, 1);
    time.advance(1);
    assert.equal(await held, undefined);
    assert.equal(await hold("old", 0), undefined);
    let leave = (): void => assert.fail("nobody was told how to release it");
    const left = hold("old", 500, (release) => (leave = release));
    leave();
    assert.equal(await left, undefined);
    assert.deepEqual([polls.heldCount, listeners.size, time.scheduled], [0, 0, 0]);
  });

  it("allow one source at most a quarter of the polls, and release its ended polls", async () => {
    const { time, hold, publish } = setUp(10);
    const of = (source: string) => hold("old", 1_000, () => {}, source);
    const first = [of("a"), of("a"), of("a")];
    assert.throws(
      () => of("a"),
      (error) => isPurserError(error) && error.code === "PURSER_OVERLOADED",
    );
    const others = [of("b"), of("b"), hold("old")];
    time.advance(1_000);
    assert.deepEqual(await Promise.all(first), [undefined, undefined, undefined]);
    const again = [of("a"), of("a"), of("a")];
    publish("new");
    assert.deepEqual(await Promise.all(again), ["new", "new", "new"]);
    await Promise.all(others);
    assert.equal(time.scheduled, 0);
  });

  it("are bounded by maxPolls", () => {
    const { hold } = setUp(1);
    void hold("old");
    assert.throws(
      () => hold("old"),
      (error) => isPurserError(error) && error.code === "PURSER_OVERLOADED",
    );
  });

  it("end at the drain, and do not wait after it", async () => {
    const { time, polls, hold } = setUp();
    const held = [hold("old"), hold("old")];
    polls.drain();
    assert.deepEqual(await Promise.all(held), [undefined, undefined]);
    assert.equal(await hold("old"), undefined);
    assert.equal(await hold("older"), "old");
    assert.deepEqual([polls.heldCount, time.scheduled], [0, 0]);
  });
});
