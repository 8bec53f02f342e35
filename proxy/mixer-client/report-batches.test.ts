// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { PurserError } from "../../core/kernel/errors.ts";
import type { ErrorCode } from "../../core/kernel/error-catalog.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { ReportBatches } from "./report-batches.ts";
import { DEFAULT_POLICY_CLIENT_SETTINGS, type PolicyClientSettings } from "./settings.ts";
import { createClientStats } from "./stats.ts";

function createBatches(settings: Partial<PolicyClientSettings> = {}) {
  const time = createVirtualTime();
  const stats = createClientStats();
  const logger = createCollectingLogger();
  const sent: number[] = [];
  const mixer = {
    /** One for each report; undefined when it is taken. */
    answers: [] as (ErrorCode | "hangs" | undefined)[],
    report({ bags }: { readonly bags: readonly unknown[] }) {
      sent.push(bags.length);
      const answer = this.answers.shift();
      if (answer === undefined) return;
      return answer === "hangs" ? new Promise<void>(() => {}) : Promise.reject(new PurserError(answer, "no"));
    },
  };
  const { clock, scheduler } = time;
  const batches = new ReportBatches({
    service: mixer,
    clock,
    scheduler,
    random: createSeededRandom(),
    logger,
    stats,
    settings: { ...DEFAULT_POLICY_CLIENT_SETTINGS, ...settings },
  });
  const add = (count: number) => {
    for (let index = 0; index < count; index++) batches.add({ request: { index } });
  };
  return { time, stats, logger, sent, mixer, batches, add };
}

describe("report batches", () => {
  it("go when they are full, or a second after their first bag", () => {
    const { time, sent, add } = createBatches();
    add(250);
    assert.deepEqual(sent, [100, 100]);
    time.advance(999);
    assert.deepEqual(sent, [100, 100]);
    time.advance(1);
    assert.deepEqual(sent, [100, 100, 50]);
    assert.equal(time.scheduled, 0);
  });

  it("go once more when the mixer could not take them, and are then dropped and counted", async () => {
    const { time, sent, stats, mixer, add, logger } = createBatches();
    mixer.answers = ["PURSER_MIXER_UNAVAILABLE"];
    add(100);
    await time.advanceAndSettle(500);
    assert.deepEqual([sent.length, stats.remote_report_retries, stats.report_drops_unavailable], [2, 1, 0]);
    mixer.answers = ["PURSER_MIXER_UNAVAILABLE", "PURSER_OVERLOADED"];
    add(100);
    await time.advanceAndSettle(500);
    assert.deepEqual([sent.length, stats.remote_report_retries, stats.report_drops_unavailable], [4, 2, 100]);
    assert.deepEqual(
      logger.lines.map(({ message, fields }) => [message, fields["bags"], fields["reason"]]),
      [["telemetry was dropped", 100, "unavailable"]],
    );
  });

  it("are not sent again when that could count them twice or would be refused again", async () => {
    const { time, sent, stats, mixer, add } = createBatches();
    mixer.answers = ["PURSER_REQUEST_INVALID", "hangs"];
    add(200);
    await time.advanceAndSettle(5_000);
    assert.deepEqual([sent.length, stats.report_drops_refused], [2, 200]);
  });

  it("go in halves when they are too large", async () => {
    const { time, sent, stats, mixer, add } = createBatches();
    mixer.answers = ["PURSER_REQUEST_TOO_LARGE"];
    add(100);
    await time.advanceAndSettle(0);
    assert.deepEqual(sent, [100, 50, 50]);
    assert.equal(stats.report_drops_refused, 0);
  });

  it("never hold traffic back: the oldest make way, and every one is counted", async () => {
    const { time, sent, stats, mixer, batches, add } = createBatches({
      maxReportBags: 300,
      maxReportsInFlight: 2,
    });
    mixer.answers = ["hangs", "hangs"];
    add(1_000);
    assert.deepEqual([sent.length, stats.report_drops_overflow], [2, 500]);
    await time.advanceAndSettle(5_000);
    assert.deepEqual([sent.length, stats.report_drops_refused], [5, 200]);
    assert.equal(stats.report_calls, 1_000);
    await batches.close(100);
  });

  it("are sent at the end, and what cannot be is dropped at the deadline", async () => {
    const { time, sent, stats, mixer, batches, add } = createBatches({ maxReportsInFlight: 1 });
    mixer.answers = ["hangs"];
    add(250);
    const closed = batches.close(200);
    await time.advanceAndSettle(199);
    assert.equal(stats.report_drops_closed, 0);
    await time.advanceAndSettle(1);
    await closed;
    assert.deepEqual([sent, stats.report_drops_closed], [[100], 150]);
  });
});
