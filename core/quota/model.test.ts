// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { checkSchedules, scheduleCount } from "../../test/support/quota-model/check-schedules.ts";
import { runSchedule } from "../../test/support/quota-model/run-schedule.ts";
import { arbitrarySchedules } from "../../test/support/quota-model/schedule.ts";
import { createMemoryQuotaStore } from "./memory-store.ts";

const RUNS = { usually: 300 };
const TIMEOUT_MS = Math.max(20_000, scheduleCount(RUNS.usually) * 10);
const START_MS = 1_767_225_600_123;

/** A memory store on a clock that the schedule sets; other counts come and go beside the schedule's. */
function subject() {
  let storeMs = START_MS;
  let others = 0;
  const store = createMemoryQuotaStore({
    clock: { nowMs: () => storeMs, monotonicMs: () => storeMs - START_MS },
  });
  const other = {
    algorithm: "fixed-window",
    limit: 1,
    windowMs: 1,
    amount: 1,
    bestEffort: false,
    leaseMs: 0,
  } as const;
  return {
    decide: (nowMs: number, calls: Parameters<Parameters<typeof runSchedule>[1]["decide"]>[1]) => {
      storeMs = nowMs;
      // Each new count sweeps idle ones away.
      store.allocate([{ ...other, cell: `other-${++others}` }], { deduplicationId: "" });
      return calls.map(({ requests, deduplicationId }) => store.allocate(requests, { deduplicationId }));
    },
  };
}

describe("the memory quota store against the reference model", () => {
  it("grants, refuses and takes back exactly the reference's amounts", async () => {
    await checkSchedules(
      arbitrarySchedules(),
      (schedule) => runSchedule(schedule, subject(), { startMs: START_MS, clockGoesBack: false }),
      RUNS,
    );
  }).timeout(TIMEOUT_MS);

  it("never exceeds a limit and loses no release when the clock goes back", async () => {
    await checkSchedules(
      arbitrarySchedules(),
      (schedule) => runSchedule(schedule, subject(), { startMs: START_MS, clockGoesBack: true }),
      RUNS,
    );
  }).timeout(TIMEOUT_MS);
});
