// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { TimerWheel } from "../../kernel/timer-wheel.ts";
import { VirtualTime } from "../testing/virtual-time.test.ts";
import { TcpTimers } from "./tcp-timers.ts";

describe("the time limits of a connection", () => {
  function timersAt() {
    const time = new VirtualTime();
    const startMs = time.monotonicMs();
    const events: (readonly [number, string])[] = [];
    const timers = new TcpTimers({ clock: time, timers: new TimerWheel(time, time) }, (event) =>
      events.push([Math.round((time.monotonicMs() - startMs) / 10) / 100, event]),
    );
    return { time, timers, events };
  }

  it("report every ten seconds, and end a connection that rests or is too old", () => {
    const { time, timers, events } = timersAt();
    timers.awaitConnection(1_000);
    time.pass(500);
    timers.open({ tcpIdleTimeoutMs: 15_000, maxConnectionDurationMs: 30_000 });
    time.pass(9_500);
    timers.noteActivity();
    time.pass(25_000);
    assert.deepEqual(events, [
      [10.5, "report"],
      [20.5, "report"],
      [25, "idle"],
      [30.5, "report"],
      [30.5, "duration"],
    ]);
  });

  it("end an attempt to connect, and what is left of a connection that breaks or is retired", () => {
    const { time, timers, events } = timersAt();
    timers.awaitConnection(1_000);
    timers.retire();
    time.pass(1_000);
    timers.linger();
    timers.linger();
    time.pass(10_000);
    assert.deepEqual(events, [
      [1, "connect"],
      [2, "linger"],
      [5, "retire"],
    ]);
  });

  it("have defaults of Envoy, and none where 0 says so; a stopped timer is silent", () => {
    const { time, timers, events } = timersAt();
    timers.open({ maxConnectionDurationMs: 0 });
    time.pass(3_600_000);
    assert.deepEqual(events.at(-1), [3_600, "idle"]);
    timers.stop();
    const { length } = events;
    time.pass(100_000);
    assert.equal(events.length, length);
    const without = timersAt();
    without.timers.open({ tcpIdleTimeoutMs: 0, maxConnectionDurationMs: 0 });
    without.time.pass(7_200_000);
    assert.deepEqual([...new Set(without.events.map(([, event]) => event))], ["report"]);
  });
});
