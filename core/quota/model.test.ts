// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { checkSchedules, scheduleCount } from "../../test/support/quota-model/check-schedules.ts";
import { memorySubject } from "../../test/support/quota-model/model-subject.ts";
import { runSchedule } from "../../test/support/quota-model/run-schedule.ts";
import { arbitrarySchedules } from "../../test/support/quota-model/schedule.ts";

const RUNS = { usually: 300 };
const TIMEOUT_MS = Math.max(20_000, scheduleCount(RUNS.usually) * 10);
const START_MS = 1_767_225_600_123;

describe("the memory quota store against the reference model", () => {
  it("grants, refuses and takes back exactly the reference's amounts", async () => {
    await checkSchedules(
      arbitrarySchedules(),
      (schedule) =>
        runSchedule(schedule, memorySubject(START_MS), { startMs: START_MS, clockGoesBack: false }),
      RUNS,
    );
  }).timeout(TIMEOUT_MS);

  it("never exceeds a limit and loses no release when the clock goes back", async () => {
    await checkSchedules(
      arbitrarySchedules(),
      (schedule) =>
        runSchedule(schedule, memorySubject(START_MS), { startMs: START_MS, clockGoesBack: true }),
      RUNS,
    );
  }).timeout(TIMEOUT_MS);
});
