// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReportRequest } from "../../api/mixer-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { ReportBatches } from "./report-batches.ts";
import { DEFAULT_POLICY_CLIENT_SETTINGS, type PolicyClientSettings } from "./settings.ts";
import { type ClientStats, createClientStats } from "./stats.ts";

/** `hangs`: accepted, but the answer never comes; `lost`: not accepted, and the answer never comes. */
type Answer = ErrorCode | "hangs" | "lost" | undefined;

function isRefusal(answer: Answer): boolean {
  return answer === "PURSER_REQUEST_INVALID" || answer === "PURSER_REQUEST_TOO_LARGE";
}

/** Number of dropped bags, over all reasons. */
function dropsOf(stats: ClientStats): number {
  const drops = Object.entries(stats).filter(([name]) => name.startsWith("report_drops_"));
  return drops.reduce((sum, [, bags]) => sum + bags, 0);
}

function createBatches(settings: Partial<PolicyClientSettings> = {}) {
  const time = createVirtualTime();
  const stats = createClientStats();
  const logger = createCollectingLogger();
  const sent: number[] = [];
  let nextId = 0;
  /** The bags that a mixer which remembers deduplication ids has accepted, each once. */
  const taken = new Set<unknown>();
  const ids = new Set<string | undefined>();
  const mixer = {
    /** One answer per report; undefined for accepted. */
    answers: [] as Answer[],
    away: false,
    repeated: 0,
    report({ bags, deduplicationId: id }: ReportRequest) {
      sent.push(bags.length);
      const next = this.answers.shift();
      // A report that was accepted once has a form and size that this mixer accepts.
      const answer = ids.has(id) && isRefusal(next) ? undefined : next;
      if (this.away) return Promise.reject(new PurserError("PURSER_MIXER_UNAVAILABLE", "away"));
      if (answer !== undefined && answer !== "hangs")
        return answer === "lost"
          ? new Promise<void>(() => {})
          : Promise.reject(new PurserError(answer, "no"));
      if (ids.has(id)) this.repeated++;
      else
        for (const bag of bags) {
          assert.ok(!taken.has(bag), "a bag was taken twice");
          taken.add(bag);
        }
      ids.add(id);
      return answer === "hangs" ? new Promise<void>(() => {}) : undefined;
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
    newId: () => `id-${nextId++}`,
  });
  const add = (count: number) => {
    for (let index = 0; index < count; index++) batches.add({ request: { index } });
  };
  return { time, stats, logger, sent, mixer, batches, add, taken };
}

describe("report batches", () => {
  it("are sent when they are full, or a second after their first bag", () => {
    const { time, sent, add } = createBatches();
    add(250);
    assert.deepEqual(sent, [100, 100]);
    time.advance(999);
    assert.deepEqual(sent, [100, 100]);
    time.advance(1);
    assert.deepEqual(sent, [100, 100, 50]);
    assert.equal(time.scheduled, 0);
  });

  it("are retried until the mixer accepts them, whatever the temporary failure", async () => {
    const { time, sent, stats, mixer, add, taken } = createBatches();
    mixer.answers = ["PURSER_MIXER_UNAVAILABLE", "PURSER_OVERLOADED", "PURSER_DRAINING", "lost", "hangs"];
    add(100);
    await time.advanceAndSettle(30_000);
    assert.deepEqual([sent.length, stats.remote_report_retries, taken.size], [6, 5, 100]);
    assert.equal(dropsOf(stats), 0);
    assert.equal(time.scheduled, 0);
  });

  it("survive a restart of seconds, are retried one at a time in order, and go on at once afterwards", async () => {
    const { time, stats, mixer, add, taken } = createBatches();
    mixer.away = true;
    for (let second = 0; second < 8; second++) {
      add(500);
      await time.advanceAndSettle(1_000);
    }
    assert.deepEqual([taken.size, dropsOf(stats)], [0, 0]);
    // Each batch once, plus the retries of the batch that is next.
    assert.ok(stats.remote_report_calls < 40 + 20, `${stats.remote_report_calls} calls`);
    mixer.away = false;
    add(100);
    await time.advanceAndSettle(0);
    assert.deepEqual([taken.size, dropsOf(stats)], [4_100, 0]);
  });

  it("are dropped when the mixer refuses them for good, and the oldest when the queue is full", async () => {
    const { time, sent, stats, mixer, add, logger } = createBatches({ maxReportBags: 300 });
    mixer.answers = ["PURSER_REQUEST_INVALID"];
    add(100);
    await time.advanceAndSettle(60_000);
    assert.deepEqual([sent.length, stats.report_drops_refused], [1, 100]);
    mixer.away = true;
    add(1_000);
    await time.advanceAndSettle(60_000);
    assert.deepEqual([stats.report_drops_overflow, stats.report_drops_refused], [700, 100]);
    assert.deepEqual(
      logger.lines.map(({ fields }) => fields["reason"]),
      ["refused", "overflow"],
    );
  });

  it("that may have arrived are never counted as refused, unavailable or overflowing", async () => {
    const { time, stats, mixer, add, batches } = createBatches({ maxReportBags: 100, maxReportsInFlight: 1 });
    mixer.answers = ["hangs", "PURSER_MIXER_UNAVAILABLE", "PURSER_MIXER_UNAVAILABLE"];
    add(200);
    await time.advanceAndSettle(5_000);
    assert.deepEqual([dropsOf(stats), stats.report_drops_unconfirmed], [100, 100]);
    mixer.answers = ["hangs"];
    mixer.away = false;
    add(100);
    const closed = batches.close(50);
    await time.advanceAndSettle(50);
    await closed;
    assert.equal(stats.report_drops_refused + stats.report_drops_overflow, 0);
  });

  it("are halved when they are too large", async () => {
    const { time, sent, stats, mixer, add } = createBatches();
    mixer.answers = ["PURSER_REQUEST_TOO_LARGE"];
    add(100);
    await time.advanceAndSettle(0);
    assert.deepEqual(sent, [100, 50, 50]);
    assert.equal(stats.report_drops_refused, 0);
  });

  it("never hold traffic back: the oldest bags are dropped, and every drop is counted", async () => {
    const { time, sent, stats, mixer, batches, add } = createBatches({
      maxReportBags: 300,
      maxReportsInFlight: 2,
    });
    mixer.answers = ["hangs", "hangs"];
    add(1_000);
    assert.deepEqual([sent.length, stats.report_drops_overflow], [2, 500]);
    await time.advanceAndSettle(5_500);
    // The three bags that waited, and the two whose answers were late once more.
    assert.deepEqual([sent.length, dropsOf(stats)], [7, 500]);
    assert.equal(stats.report_calls, 1_000);
    await batches.close(100);
  });

  it("are flushed at the close; the rest is dropped at the deadline", async () => {
    const { time, sent, stats, mixer, batches, add } = createBatches({ maxReportsInFlight: 1 });
    mixer.answers = ["hangs"];
    add(250);
    const closed = batches.close(200);
    await time.advanceAndSettle(199);
    assert.equal(stats.report_drops_closed, 0);
    await time.advanceAndSettle(1);
    await closed;
    assert.deepEqual([sent, stats.report_drops_closed, stats.report_drops_unconfirmed], [[100], 150, 100]);
    assert.equal(time.scheduled, 1, "the hanging call's own deadline");
  });

  it("are retried at the close, and count as unavailable when that fails", async () => {
    for (const back of [true, false]) {
      const { time, stats, mixer, batches, add, taken } = createBatches();
      mixer.away = true;
      add(150);
      await time.advanceAndSettle(100);
      mixer.away = !back;
      const closed = batches.close(200);
      await time.advanceAndSettle(200);
      await Promise.all([closed, batches.close(200)]);
      assert.deepEqual([taken.size, stats.report_drops_unavailable], back ? [150, 0] : [0, 150]);
    }
  });

  // Property: for any behaviour of the mixer and any time of the close.
  it("are all accounted for: accepted once, or dropped once; unanswered ones as unconfirmed", async () => {
    const answer = fc.constantFrom<Answer>(
      undefined,
      "hangs",
      "lost",
      "PURSER_MIXER_UNAVAILABLE",
      "PURSER_DRAINING",
      "PURSER_REQUEST_INVALID",
      "PURSER_REQUEST_TOO_LARGE",
    );
    const step = fc.record({
      bags: fc.integer({ min: 0, max: 40 }),
      waitMs: fc.integer({ max: 4_000, min: 0 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 12 }),
        fc.array(answer, { maxLength: 60 }),
        fc.integer({ min: 0, max: 3_000 }),
        async (steps, answers, deadlineMs) => {
          const limits = { reportBatchSize: 10, maxReportBags: 50, maxReportsInFlight: 2 };
          const { time, stats, mixer, batches, add, taken } = createBatches(limits);
          mixer.answers = [...answers];
          for (const { bags, waitMs } of steps) {
            add(bags);
            await time.advanceAndSettle(waitMs);
          }
          let closed = false;
          void batches.close(deadlineMs).then(() => (closed = true));
          await time.advanceAndSettle(deadlineMs);
          assert.equal(closed, true);
          add(1);
          const arrived = taken.size;
          await time.advanceAndSettle(10_000);
          assert.equal(taken.size, arrived, "nothing is sent after the end");
          assert.ok(mixer.repeated <= stats.remote_report_retries);
          const drops = dropsOf(stats);
          assert.equal(stats.reported_bags + drops, stats.report_calls, "each is counted once");
          assert.ok(taken.size + drops >= stats.report_calls, "none is missing");
          assert.ok(
            taken.size + drops - stats.report_drops_unconfirmed <= stats.report_calls,
            "none is counted twice",
          );
          assert.equal(time.scheduled, 0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
