// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthCheck } from "../../../core/traffic/resources/health-check.ts";
import { createVirtualTime } from "../../../plugins/sdk/testing/time.ts";
import { CheckQueue } from "./check-queue.ts";
import { CheckSession } from "./check-session.ts";
import type { Probe } from "../../transport/probes/probe.ts";

const SETTINGS: HealthCheck = {
  probe: { kind: "tcp" },
  intervalMs: 5_000,
  noTrafficIntervalMs: 60_000,
  timeoutMs: 1_000,
  unhealthyThreshold: 3,
  healthyThreshold: 2,
  initialJitterMs: 0,
};

/** A probe whose checks end when the test says so. */
class ScriptedProbe implements Probe {
  readonly startedAtMs: number[] = [];
  underWay = 0;
  isClosed = false;
  readonly #nowMs: () => number;
  #onDone: (outcome: CheckOutcome) => void = () => assert.fail("no check is under way");

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  check(onDone: (outcome: CheckOutcome) => void): () => void {
    this.startedAtMs.push(this.#nowMs());
    this.underWay++;
    let isOver = false;
    const end = (): void => {
      if (!isOver) this.underWay--;
      isOver = true;
    };
    this.#onDone = (outcome) => {
      end();
      onDone(outcome);
    };
    return end;
  }

  answer(outcome: CheckOutcome): void {
    this.#onDone(outcome);
  }

  close(): void {
    assert.equal(this.underWay, 0);
    this.isClosed = true;
  }
}

function rig(limit = 10) {
  const time = createVirtualTime();
  const queue = new CheckQueue(limit);
  const traffic = { seen: true };
  const outcomes: CheckOutcome[] = [];
  const start = (settings: Partial<HealthCheck> = {}, random = 0.5) => {
    const probe = new ScriptedProbe(() => time.clock.monotonicMs());
    const session = new CheckSession({ ...SETTINGS, ...settings }, probe, {
      queue,
      scheduler: time.scheduler,
      random: () => random,
      hasTraffic: () => traffic.seen,
      onOutcome: (outcome) => outcomes.push(outcome),
    });
    return { probe, session };
  };
  return { time, traffic, outcomes, start };
}

describe("the checks of an endpoint", () => {
  it("begin at once, or after a random part of the jitter", () => {
    const { time, start } = rig();
    const atOnce = start();
    const later = start({ initialJitterMs: 3_000 }, 0.5);
    time.advance(0);
    assert.deepEqual(atOnce.probe.startedAtMs, [0]);
    assert.deepEqual(later.probe.startedAtMs, []);
    time.advance(1_500);
    assert.deepEqual(later.probe.startedAtMs, [1_500]);
  });

  it("pause for the interval after each check, and longer while there is no traffic", () => {
    const { time, traffic, outcomes, start } = rig();
    const { probe } = start();
    time.advance(0);
    time.advance(400);
    probe.answer("success");
    time.advance(5_000);
    assert.deepEqual(probe.startedAtMs, [0, 5_400]);
    traffic.seen = false;
    probe.answer("failure");
    time.advance(59_999);
    assert.equal(probe.startedAtMs.length, 2);
    time.advance(1);
    assert.deepEqual(probe.startedAtMs, [0, 5_400, 65_400]);
    assert.deepEqual(outcomes, ["success", "failure"]);
  });

  it("time out, and go on", () => {
    const { time, outcomes, start } = rig();
    const { probe } = start();
    time.advance(0);
    time.advance(999);
    assert.deepEqual(outcomes, []);
    time.advance(1);
    assert.deepEqual(outcomes, ["timeout"]);
    assert.equal(probe.underWay, 0);
    time.advance(5_000);
    assert.deepEqual(probe.startedAtMs, [0, 6_000]);
  });

  it("are as many at once as the queue allows, first come first served", () => {
    const { time, start } = rig(2);
    const sessions = [start(), start(), start(), start()];
    const running = () => sessions.map(({ probe }) => probe.underWay);
    time.advance(0);
    assert.deepEqual(running(), [1, 1, 0, 0]);
    sessions[1]?.probe.answer("success");
    assert.deepEqual(running(), [1, 0, 1, 0]);
    time.advance(1_000);
    assert.deepEqual(running(), [0, 0, 0, 1]);
    // The deadline of a check that waited runs from its own start.
    time.advance(999);
    assert.deepEqual(running(), [0, 0, 0, 1]);
    time.advance(1);
    assert.deepEqual(running(), [0, 0, 0, 0]);
  });

  it("end with the session, whether one is under way, waits for its turn, or is far off", () => {
    const { time, outcomes, start } = rig(1);
    const [running, waiting, next] = [start(), start(), start()];
    time.advance(0);
    const pausing = start({ initialJitterMs: 10_000 });
    waiting.session.close();
    running.session.close();
    assert.equal(next.probe.underWay, 1);
    pausing.session.close();
    next.session.close();
    next.session.close();
    time.advance(100_000);
    assert.deepEqual(outcomes, []);
    assert.equal(time.scheduled, 0);
    for (const { probe } of [running, waiting, next, pausing]) assert.ok(probe.isClosed);
    // No place in the queue was lost.
    const another = start();
    time.advance(0);
    assert.equal(another.probe.underWay, 1);
  });
});
