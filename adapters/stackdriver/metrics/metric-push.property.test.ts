// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createTestContext, metricInstance } from "../../../plugins/sdk/testing/index.ts";
import { standInClient } from "../../../test/support/google-stand-in/http-client.ts";
import { type ReceivedSeries, TIMING_REASONS } from "../../../test/support/google-stand-in/monitoring.ts";
import { type Fault, FAULTS, GoogleStandIn } from "../../../test/support/google-stand-in/stand-in.ts";
import { stackdriver } from "../index.ts";

type Step =
  | { readonly kind: "report"; readonly amounts: readonly (readonly [series: number, amount: number])[] }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "jump"; readonly ms: number }
  | { readonly kind: "fail"; readonly faults: readonly Fault[] };

const HOUR_MS = 3_600_000;
const NEVER = new AbortController();

const report = fc
  .array(fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 1000 })), { maxLength: 5 })
  .map((amounts): Step => ({ kind: "report", amounts }));
const pass = fc
  .oneof(fc.nat({ max: 7_000 }), fc.nat({ max: 120_000 }), fc.nat({ max: HOUR_MS / 4 }))
  .map((ms): Step => ({ kind: "pass", ms }));
const jump = fc
  .oneof(
    fc.integer({ min: -10_000, max: 10_000 }),
    fc.integer({ min: -400_000, max: 400_000 }),
    fc.integer({ min: -30 * HOUR_MS, max: 30 * HOUR_MS }),
  )
  .map((ms): Step => ({ kind: "jump", ms }));
const fail = fc
  .array(fc.constantFrom(...FAULTS), { maxLength: 4 })
  .map((faults): Step => ({ kind: "fail", faults }));

interface Case {
  readonly interval: string;
  readonly expireAfter: string;
  readonly steps: readonly Step[];
}

const intervals = fc.constantFrom("5s", "7s", "60s");
/** Jumps make the services refuse points; a series that they refuse must not expire here, or its numbers are dropped. */
const jumpy = fc.record({
  interval: intervals,
  expireAfter: fc.constant("10000h"),
  steps: fc.array(fc.oneof(report, report, pass, pass, jump, fail), { maxLength: 40 }),
});
const expiring = fc.record({
  interval: intervals,
  expireAfter: fc.constantFrom("1s", "1m"),
  steps: fc.array(fc.oneof(report, pass, fail.filter(withoutRefusals)), { maxLength: 40 }),
});

function withoutRefusals(step: Step): boolean {
  return step.kind !== "fail" || !step.faults.includes("403");
}

/** The count of one series at Google: the last point of each start, since a new start begins a new count. */
function totalOf({ points }: ReceivedSeries): number {
  const byStart = new Map<number | undefined, number>();
  for (const { startMs, value } of points) {
    const count = (value["distributionValue"] as { count: string } | undefined)?.count ?? value["int64Value"];
    byStart.set(startMs, Number(count));
  }
  return [...byStart.values()].reduce((sum, total) => sum + total, 0);
}

/** Series 0 to 3 are counters, series 4 is a histogram. */
function instanceOf(series: number, amount: number) {
  const labels = { user: String(series) };
  return series === 4
    ? metricInstance({ name: "sizes", type: "histogram", value: amount, labels })
    : metricInstance({ value: amount, labels });
}

async function run({ interval, expireAfter, steps }: Case): Promise<void> {
  const made = createTestContext(stackdriver, {
    project: "demo",
    credentials: "none",
    interval,
    expireAfter,
  });
  const { time, clock } = made;
  const epochMs = clock.nowMs();
  const trueMs = (): number => epochMs + clock.monotonicMs();
  const standIn = new GoogleStandIn({ nowMs: trueMs });
  const handler = stackdriver.build({ ...made, http: standInClient(standIn) });
  const offered = new Map<string, number>();
  for (const step of steps) {
    if (step.kind === "pass") await time.advanceAndSettle(step.ms);
    else if (step.kind === "jump") time.setWallClock(clock.nowMs() + step.ms);
    else if (step.kind === "fail") standIn.failNext(...step.faults);
    else {
      for (const [series, amount] of step.amounts)
        offered.set(String(series), (offered.get(String(series)) ?? 0) + (series === 4 ? 1 : amount));
      void handler.metric?.(
        step.amounts.map(([series, amount]) => instanceOf(series, amount)),
        NEVER,
      );
    }
  }
  standIn.recover();
  time.setWallClock(trueMs());
  // The longest call, the longest pause, and a few intervals.
  await time.advanceAndSettle(600_000);
  const timing = standIn.refusals.filter((message) =>
    TIMING_REASONS.some((reason) => message.includes(reason)),
  );
  assert.deepEqual(timing, []);
  const received = Object.fromEntries(
    standIn.monitoring.series.map((series) => [series.labels["user"], totalOf(series)]),
  );
  assert.deepEqual(received, Object.fromEntries(offered));
  await handler.close();
  assert.equal(time.scheduled, 0);
}

describe("the push of metrics, whatever happens", () => {
  it("never has a point refused for its time, and loses no report, with clock jumps and failures", async () => {
    await fc.assert(fc.asyncProperty(jumpy, run), { numRuns: 150 });
  });

  it("does so when series expire and come back", async () => {
    await fc.assert(fc.asyncProperty(expiring, run), { numRuns: 100 });
  });
});
