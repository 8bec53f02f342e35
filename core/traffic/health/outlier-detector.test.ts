// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createVirtualTime } from "../../../plugins/sdk/testing/time.ts";
import type { OutlierDetection } from "../resources/outlier-detection.ts";
import { OutlierDetector } from "./outlier-detector.ts";
import type { OutlierMonitor } from "./outlier-monitor.ts";

/** Istio's defaults. */
const DEFAULTS: OutlierDetection = {
  consecutive5xxErrors: 5,
  consecutiveGatewayErrors: 0,
  splitExternalLocalOriginErrors: false,
  consecutiveLocalOriginFailures: 5,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionPercent: 10,
  minHealthPercent: 0,
};

/** A detector of `hosts` endpoints on virtual time, swept as a proxy does it. */
function rig(hosts: number, settings: Partial<OutlierDetection> = {}) {
  const time = createVirtualTime();
  const events: string[] = [];
  const detector = new OutlierDetector<number>({ ...DEFAULTS, ...settings }, time.clock, {
    onEjected: (host, reason) => events.push(`${host} ${reason}`),
    onEjectionOverflow: (host, reason) => events.push(`${host} overflow ${reason}`),
    onReturned: (host) => events.push(`${host} returned`),
  });
  const monitors = Array.from({ length: hosts }, (_, host) => detector.add(host));
  time.scheduler.every(detector.settings.intervalMs, () => detector.sweep());
  const monitor = (host: number): OutlierMonitor<number> => monitors[host] as OutlierMonitor<number>;
  return { time, events, detector, monitor };
}

function fail(monitor: OutlierMonitor<number>, times: number, status = 500): void {
  for (let time = 0; time < times; time++) monitor.onResponse(status);
}

describe("outlier detection", () => {
  it("ejects after consecutive 5xx responses, and not when another response comes between", () => {
    const { events, monitor } = rig(2);
    fail(monitor(0), 4);
    monitor(0).onResponse(404);
    fail(monitor(0), 4, 599);
    assert.deepEqual(events, []);
    fail(monitor(0), 1, 503);
    assert.deepEqual(events, ["0 consecutive_5xx"]);
  });

  it("counts failures without a response as 503 and 504, or apart from responses", () => {
    const joined = rig(2, { consecutive5xxErrors: 0, consecutiveGatewayErrors: 3 });
    joined.monitor(0).onLocalOriginFailure(503);
    joined.monitor(0).onResponse(502);
    joined.monitor(0).onLocalOriginFailure(504);
    assert.deepEqual(joined.events, ["0 consecutive_gateway_errors"]);
    const apart = rig(2, { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 2 });
    fail(apart.monitor(0), 4);
    apart.monitor(0).onLocalOriginFailure(503);
    apart.monitor(0).onResponse(500);
    assert.deepEqual(apart.events, ["0 consecutive_5xx"]);
    apart.monitor(1).onLocalOriginFailure(503);
    apart.monitor(1).onResponse(200);
    apart.monitor(1).onLocalOriginFailure(503);
    apart.monitor(1).onLocalOriginFailure(504);
    assert.deepEqual(apart.events.slice(1), ["1 overflow consecutive_local_origin_failures"]);
  });

  it("takes a 500 or 501 for no gateway error", () => {
    const { events, monitor } = rig(2, { consecutive5xxErrors: 0, consecutiveGatewayErrors: 2 });
    for (const status of [502, 500, 503, 501, 504, 505, 502]) monitor(0).onResponse(status);
    assert.deepEqual(events, []);
    monitor(0).onResponse(503);
    assert.deepEqual(events, ["0 consecutive_gateway_errors"]);
  });

  it("counts nothing for rules that are off", () => {
    const { events, monitor } = rig(2, { consecutive5xxErrors: 0 });
    fail(monitor(0), 1_000, 503);
    assert.deepEqual(events, []);
  });

  it("ejects for the base time × the number of ejections in a row, and 300 s at most", () => {
    const { time, detector, monitor } = rig(1);
    const durations: number[] = [];
    for (let ejection = 0; ejection < 13; ejection++) {
      fail(monitor(0), 5);
      const startMs = time.clock.monotonicMs();
      while (monitor(0).isEjected) time.advance(10_000);
      durations.push((time.clock.monotonicMs() - startMs) / 1_000);
      assert.equal(detector.ejectedCount, 0);
    }
    assert.deepEqual(durations, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300]);
    // The multiplier is 11 at most; it falls by one in each interval without an ejection.
    time.advance(100_000);
    fail(monitor(0), 5);
    time.advance(50_000);
    assert.ok(monitor(0).isEjected);
    time.advance(10_000);
    assert.ok(!monitor(0).isEjected);
    time.advance(1_000_000);
    assert.equal(monitor(0).multiplier, 0);
  });

  it("lets a base time above 300 s pass once, whatever the multiplier", () => {
    const { time, monitor } = rig(1, { baseEjectionMs: 400_000 });
    for (let ejection = 0; ejection < 4; ejection++) {
      fail(monitor(0), 5);
      time.advance(390_000);
      assert.ok(monitor(0).isEjected);
      time.advance(10_000);
      assert.ok(!monitor(0).isEjected);
    }
  });

  it("ejects one endpoint in any case, and a further one only within the percentage", () => {
    const few = rig(5);
    for (const host of [0, 1]) fail(few.monitor(host), 5);
    assert.deepEqual(few.events, ["0 consecutive_5xx", "1 overflow consecutive_5xx"]);
    const many = rig(20);
    for (const host of [0, 1, 2]) fail(many.monitor(host), 5);
    assert.equal(many.detector.ejectedCount, 2);
    assert.equal(many.events.at(-1), "2 overflow consecutive_5xx");
    const all = rig(3, { maxEjectionPercent: 100 });
    for (const host of [0, 1, 2]) fail(all.monitor(host), 5);
    assert.equal(all.detector.ejectedCount, 3);
  });

  it("ignores the failures of requests under way at the ejection, and begins anew after it", () => {
    const { time, events, monitor } = rig(1);
    fail(monitor(0), 50);
    time.advance(30_000);
    fail(monitor(0), 4);
    assert.deepEqual(events, ["0 consecutive_5xx", "0 returned"]);
  });

  it("frees the place of an endpoint that leaves, and knows nothing of its past when it comes back", () => {
    const { events, detector, monitor } = rig(2);
    fail(monitor(0), 5);
    detector.remove(monitor(0));
    assert.equal(detector.ejectedCount, 0);
    fail(monitor(0), 50);
    detector.remove(monitor(0));
    assert.equal(detector.ejectedCount, 0);
    const again = detector.add(0);
    fail(again, 4);
    fail(monitor(1), 5);
    assert.deepEqual(events, ["0 consecutive_5xx", "1 consecutive_5xx"]);
  });

  it("keeps counts and ejections when the settings change", () => {
    const { time, events, detector, monitor } = rig(10);
    fail(monitor(0), 5);
    fail(monitor(1), 4);
    detector.settings = {
      ...DEFAULTS,
      consecutive5xxErrors: 2,
      baseEjectionMs: 20_000,
      maxEjectionPercent: 50,
    };
    assert.equal(detector.ejectedCount, 1);
    fail(monitor(1), 1);
    assert.equal(detector.ejectedCount, 2);
    time.advance(20_000);
    assert.deepEqual(events.slice(2), ["0 returned", "1 returned"]);
  });

  it("does as the documented rules say for any schedule, and never ejects more than is allowed", () => {
    const outcome = fc.record({
      host: fc.nat(4),
      status: fc.constantFrom(200, 404, 500, 502, 503),
      times: fc.integer({ min: 1, max: 4 }),
      pauseMs: fc.constantFrom(0, 0, 0, 700, 3_000),
    });
    const settings = fc.record({
      consecutive5xxErrors: fc.nat(4),
      consecutiveGatewayErrors: fc.nat(3),
      maxEjectionPercent: fc.integer({ min: 1, max: 100 }),
      baseEjectionMs: fc.constantFrom(1_000, 2_500, 100_000),
    });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 120 }), settings, (schedule, some) => {
        const given = { ...DEFAULTS, intervalMs: 1_000, ...some };
        const { time, detector, monitor } = rig(5, given);
        const reference = new Reference(given, 5);
        for (const { host, status, times, pauseMs } of schedule) {
          for (let index = 0; index < times; index++) {
            monitor(host).onResponse(status);
            reference.response(host, status);
          }
          assert.ok(detector.ejectedCount <= Math.max(1, Math.floor((given.maxEjectionPercent * 5) / 100)));
          time.advance(pauseMs);
          reference.advance(pauseMs);
          assert.deepEqual(
            [0, 1, 2, 3, 4].map((index) => monitor(index).isEjected),
            reference.ejected(),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface ReferenceHost {
  history: number[];
  /** End of the ejection; undefined for none. */
  until: number | undefined;
  healthySince: number;
  /** Ejections in a row. */
  times: number;
}

/** The documented rules, written down plainly: the whole history of each host, and a step for each interval. */
class Reference {
  readonly #settings: OutlierDetection;
  readonly #hosts: ReferenceHost[];
  #nowMs = 0;

  constructor(settings: OutlierDetection, hosts: number) {
    this.#settings = settings;
    this.#hosts = Array.from({ length: hosts }, () => ({
      history: [],
      until: undefined,
      healthySince: Infinity,
      times: 0,
    }));
  }

  ejected(): readonly boolean[] {
    return this.#hosts.map(({ until }) => until !== undefined);
  }

  response(index: number, status: number): void {
    const host = this.#hosts[index];
    if (host === undefined || host.until !== undefined) return;
    host.history.push(status);
    const { consecutive5xxErrors, consecutiveGatewayErrors } = this.#settings;
    const isGatewayError = (code: number): boolean => code === 502 || code === 503 || code === 504;
    // A rule that was broken counts from there on; the marker ends its run alone.
    if (endsWith(host.history, consecutiveGatewayErrors, isGatewayError, GATEWAY_MARK)) {
      host.history.push(GATEWAY_MARK);
      this.#eject(host);
    }
    if (host.until !== undefined) return;
    if (endsWith(host.history, consecutive5xxErrors, (code) => code >= 500, SERVER_MARK)) {
      host.history.push(SERVER_MARK);
      this.#eject(host);
    }
  }

  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    const { intervalMs } = this.#settings;
    while (this.#nowMs < endMs) {
      this.#nowMs = Math.min(endMs, (Math.floor(this.#nowMs / intervalMs) + 1) * intervalMs);
      if (this.#nowMs % intervalMs !== 0) continue;
      for (const host of this.#hosts) {
        if (host.until !== undefined && host.until <= this.#nowMs) {
          host.until = undefined;
          host.history = [];
          host.healthySince = this.#nowMs;
        } else if (host.until === undefined && this.#nowMs - host.healthySince >= intervalMs) {
          host.times = Math.max(0, host.times - 1);
        }
      }
    }
  }

  #eject(host: ReferenceHost): void {
    const { maxEjectionPercent, baseEjectionMs } = this.#settings;
    const ejected = this.ejected().filter(Boolean).length;
    if (ejected > 0 && (ejected + 1) / this.#hosts.length > maxEjectionPercent / 100) return;
    if (host.times * baseEjectionMs < 300_000 + baseEjectionMs) host.times++;
    host.until = this.#nowMs + Math.min(host.times * baseEjectionMs, 300_000);
  }
}

const GATEWAY_MARK = -1;
const SERVER_MARK = -2;

/** Whether the history's last `count` statuses, since the rule's own mark, all match. */
function endsWith(
  history: readonly number[],
  count: number,
  matches: (status: number) => boolean,
  mark: number,
): boolean {
  if (count === 0) return false;
  const since = history.slice(history.lastIndexOf(mark) + 1).filter((status) => status >= 0);
  const last = since.slice(-count);
  return last.length === count && last.every(matches);
}
