// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AdapterHandler, MetricInstance } from "../../../plugins/sdk/index.ts";
import { createTestContext, metricInstance, type TestContext } from "../../../plugins/sdk/testing/index.ts";
import { standInClient } from "../../../test/support/google-stand-in/http-client.ts";
import { GoogleStandIn, type StandInOptions } from "../../../test/support/google-stand-in/stand-in.ts";
import type { StackdriverConfig } from "../config.ts";
import { stackdriver } from "../index.ts";

const NEVER = new AbortController();
const PREFIX = "custom.googleapis.com/purser/";

interface Setup {
  readonly context: TestContext<StackdriverConfig>;
  readonly handler: AdapterHandler;
  readonly standIn: GoogleStandIn;
  readonly report: (...changes: readonly Partial<MetricInstance>[]) => void;
  readonly warnings: () => readonly string[];
  /** The adapter's own metrics. */
  readonly exposition: () => string;
}

/** A handler in virtual time, whose services are a stand-in with the true time. */
function setup(config: Readonly<Record<string, unknown>> = {}, options: StandInOptions = {}): Setup {
  const made = createTestContext(stackdriver, { project: "demo", credentials: "none", ...config });
  const epochMs = made.clock.nowMs();
  // The services' clock goes on when the handler's is set.
  const standIn = new GoogleStandIn({ nowMs: () => epochMs + made.clock.monotonicMs(), ...options });
  const context = { ...made, http: standInClient(standIn) };
  const handler = stackdriver.build(context);
  return {
    context,
    handler,
    standIn,
    report: (...changes) =>
      void handler.metric?.(
        changes.map((change) => metricInstance(change)),
        NEVER,
      ),
    exposition: () => handler.exposition?.() as string,
    warnings: () =>
      context.logger.lines.filter(({ level }) => level === "warn").map(({ message }) => message),
  };
}

const valuesOf = (standIn: GoogleStandIn): unknown =>
  standIn.monitoring.series.map(({ points }) => points.map(({ value }) => Object.values(value)[0]));

describe("the push of metrics", () => {
  it("pushes totals every interval, with one start", async () => {
    const { context, standIn, report } = setup();
    report({}, { value: 2 });
    await context.time.advanceAndSettle(59_999);
    assert.equal(standIn.calls, 0);
    await context.time.advanceAndSettle(1);
    report({ value: 4 });
    await context.time.advanceAndSettle(60_000);
    const [series] = standIn.monitoring.series;
    const startMs = Date.UTC(2026, 0, 1);
    assert.equal(series?.type, `${PREFIX}requests_total`);
    assert.deepEqual(series.points, [
      { startMs, endMs: startMs + 60_000, value: { int64Value: "3" } },
      { startMs, endMs: startMs + 120_000, value: { int64Value: "7" } },
    ]);
    assert.deepEqual(standIn.refusals, []);
  });

  it("makes each descriptor once, with unit, description and labels", async () => {
    const { context, standIn, report } = setup();
    report({
      name: "latency",
      type: "histogram",
      unit: "milliseconds",
      help: "How long.",
      buckets: [1, 2],
      value: 1,
    });
    await context.time.advanceAndSettle(180_000);
    assert.deepEqual(standIn.monitoring.descriptors, [
      {
        type: `${PREFIX}latency`,
        metricKind: "CUMULATIVE",
        valueType: "DISTRIBUTION",
        unit: "ms",
        description: "How long.",
        labels: [{ key: "source" }, { key: "destination" }, { key: "code" }],
      },
    ]);
    assert.equal(standIn.calls, 4);
    assert.deepEqual(standIn.refusals, []);
  });

  it("goes on when the descriptor exists, or is refused", async () => {
    const { context, standIn, report, warnings } = setup();
    standIn.monitoring.createDescriptor({
      type: `${PREFIX}requests_total`,
      metricKind: "CUMULATIVE",
      valueType: "INT64",
      labels: ["source", "destination", "code"].map((key) => ({ key, valueType: "STRING" })),
    });
    report({});
    await context.time.advanceAndSettle(60_000);
    standIn.failNext("403");
    report({ name: "other" });
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(valuesOf(standIn), [["1", "1"], ["1"]]);
    assert.deepEqual(warnings(), ["Cloud Monitoring refused the descriptor of a metric"]);
  });

  it("writes distributions with Google's buckets, mean and deviation", async () => {
    const { context, standIn, report } = setup();
    const values = [0.5, 1, 1.5, 2, 10];
    report(...values.map((value) => ({ name: "sizes", type: "histogram" as const, buckets: [1, 2], value })));
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(standIn.monitoring.series[0]?.points[0]?.value, {
      distributionValue: {
        count: "5",
        mean: 3,
        sumOfSquaredDeviation: 62.5,
        bucketOptions: { explicitBuckets: { bounds: [1, 2] } },
        // A bucket includes its lower bound.
        bucketCounts: ["1", "2", "2"],
      },
    });
  });

  it("takes gauges as their last value, and value types from the configuration", async () => {
    const valueTypes = { whole: "int64", cost: "double" };
    const { context, standIn, report, warnings } = setup({ valueTypes });
    report({ name: "depth", type: "gauge", value: 4.5 }, { name: "depth", type: "gauge", value: -1.5 });
    report(
      { name: "whole", type: "gauge", value: 2 },
      { name: "cost", value: 0.25 },
      { name: "cost", value: 0.5 },
    );
    report({ name: "fractions", value: 0.75 }, { name: "fractions", value: 0.5 });
    await context.time.advanceAndSettle(60_000);
    report({ name: "fractions", value: 0.75 });
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(valuesOf(standIn), [
      [-1.5, -1.5],
      ["2", "2"],
      [0.75, 0.75],
      ["1", "2"],
    ]);
    assert.deepEqual(warnings(), [
      "an int64 metric was given a fraction; name it in valueTypes as double to keep fractions",
    ]);
  });

  it("splits more than 200 series into calls", async () => {
    const { context, standIn, report } = setup();
    report(...Array.from({ length: 1001 }, (_, user) => ({ labels: { user: String(user) } })));
    await context.time.advanceAndSettle(60_000);
    assert.equal(standIn.monitoring.series.length, 1001);
    assert.equal(standIn.calls, 1 + 6);
    assert.deepEqual(standIn.refusals, []);
  });

  it("counts label sets beyond maxSeries in an overflow series, with one warning a metric", async () => {
    const { context, standIn, report, warnings, exposition } = setup({ maxSeries: 2 });
    report(...Array.from({ length: 5 }, (_, user) => ({ labels: { user: String(user) } })));
    report({ labels: { user: "0" } }, { labels: { user: "_overflow" } });
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(valuesOf(standIn), [["2"], ["1"], ["4"]]);
    assert.deepEqual(standIn.monitoring.series[2]?.labels, { user: "_overflow" });
    assert.deepEqual(warnings(), [
      "the handler has reached maxSeries; further label sets of a metric are counted together",
    ]);
    assert.equal(context.logger.lines[0]?.fields["metric"], "requests_total");
    const overflow = 'purser_stackdriver_overflow_total{handler="test",metric="requests_total"} 3\n';
    assert.ok(exposition().includes(overflow), exposition());
  });

  it("keeps labels within the limits, and makes one series of values that become equal", async () => {
    const { context, standIn, report, warnings } = setup();
    const long = "🛳".repeat(1024);
    report(
      { labels: { path: `${long}a` } },
      { labels: { path: `${long}b` } },
      { labels: { path: "\ud800" } },
    );
    report({ labels: { path: "\udfff" } }, { labels: { path: "" } });
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`label ${index}-é`, "x"]));
    report(
      { name: "Zoë 🛳", labels: many },
      { name: "bad keys", labels: { "a-b": "1", "a b": "2", "1": "3", "": "4" } },
    );
    report({ name: "x".repeat(500), labels: { ["k".repeat(200)]: "v", [`${"k".repeat(200)}2`]: "w" } });
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(standIn.refusals, []);
    const [cut, lone, empty, wide, keys] = standIn.monitoring.series;
    assert.equal(cut?.labels["path"], long);
    assert.deepEqual(valuesOf(standIn), [["2"], ["2"], ["1"], ["1"], ["1"], ["1"]]);
    assert.equal(lone?.labels["path"], "\ufffd");
    assert.equal(empty?.labels["path"], "");
    assert.equal(wide?.type, `${PREFIX}Zo___`);
    assert.equal(Object.keys(wide?.labels ?? {}).length, 30);
    assert.deepEqual(Object.keys(keys?.labels ?? {}).toSorted(), ["a_b", "a_b_2", "label_", "label_1"]);
    assert.equal(warnings().length, 1);
  });

  it("drops and counts numbers that no series can hold", async () => {
    const { context, standIn, report, warnings, exposition } = setup({
      valueTypes: { cost: "double" },
    });
    report(
      { value: Number.NaN },
      { value: Number.POSITIVE_INFINITY },
      { value: -1 },
      { value: 1e300 },
      { value: -0 },
    );
    report({ name: "cost", value: 1.7e308 }, { name: "cost", value: 1.7e308 });
    report(
      { name: "sizes", type: "histogram", value: 1e200 },
      { name: "sizes", type: "histogram", value: -1e200 },
    );
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(standIn.refusals, []);
    assert.equal(standIn.monitoring.series.length, 3);
    const text = exposition();
    for (const [metric, reason, count] of [
      ["requests_total", "not_finite", 2],
      ["requests_total", "negative", 1],
      ["requests_total", "out_of_range", 1],
      ["cost", "out_of_range", 1],
      ["sizes", "out_of_range", 1],
    ])
      assert.ok(text.includes(`{handler="test",metric="${metric}",reason="${reason}"} ${count}\n`), text);
    assert.equal(warnings().length, 5);
  });

  it("begins a series again when its sum comes near the end of its range, and loses nothing", async () => {
    const { context, standIn, report } = setup();
    report({ value: 2 ** 52 + 5 });
    await context.time.advanceAndSettle(60_000);
    report({ value: 7 });
    await context.time.advanceAndSettle(60_000);
    const [first, second] = standIn.monitoring.series[0]?.points ?? [];
    assert.deepEqual(
      [first?.value, second?.value],
      [{ int64Value: String(2 ** 52 + 5) }, { int64Value: "7" }],
    );
    assert.equal(second?.startMs, (first?.endMs ?? 0) + 1);
    assert.deepEqual(standIn.refusals, []);
  });

  it("begins a series again when its document's buckets or type change", async () => {
    const { context, standIn, report, exposition } = setup();
    report({ name: "sizes", type: "histogram", buckets: [1], value: 1 });
    await context.time.advanceAndSettle(60_000);
    report({ name: "sizes", type: "histogram", buckets: [1, 2], value: 1 });
    await context.time.advanceAndSettle(60_000);
    const [series] = standIn.monitoring.series;
    assert.equal(series?.points.length, 2);
    assert.equal(series?.points[1]?.startMs, (series?.points[0]?.endMs ?? 0) + 1);
    assert.deepEqual(standIn.refusals, []);
    report(
      { name: "sizes", type: "histogram", buckets: [1, 2], value: 1 },
      { name: "sizes", type: "gauge", value: 1 },
    );
    await context.time.advanceAndSettle(60_000);
    // The descriptor has the other kind, so Google takes no point of the new one.
    assert.ok(standIn.refusals.length > 0);
    assert.match(exposition(), /reason="replaced"\} 1\n/);
  });

  it("forgets idle series, and begins them after their last point", async () => {
    const { context, standIn, report } = setup({ expireAfter: "2m", maxSeries: 1 });
    report({});
    await context.time.advanceAndSettle(240_000);
    const before = standIn.monitoring.series[0]?.points.length ?? 0;
    assert.ok(before >= 2 && before <= 3, String(before));
    report({ labels: { other: "x" } });
    await context.time.advanceAndSettle(60_000);
    assert.equal(standIn.monitoring.series[1]?.labels["other"], "x");
    await context.time.advanceAndSettle(240_000);
    report({});
    await context.time.advanceAndSettle(60_000);
    const points = standIn.monitoring.series[0]?.points ?? [];
    assert.ok((points.at(-1)?.startMs ?? 0) > (points.at(-2)?.endMs ?? 0));
    assert.deepEqual(points.at(-1)?.value, { int64Value: "1" });
    assert.deepEqual(standIn.refusals, []);
  });

  it("is one writer of each series: no two handlers have the same task", async () => {
    const { context, standIn, report } = setup();
    const second = {
      ...createTestContext(stackdriver, { project: "demo", credentials: "none" }),
      http: context.http,
    };
    const other = stackdriver.build({ ...second, clock: context.clock, scheduler: context.scheduler });
    report({});
    void other.metric?.([metricInstance()], NEVER);
    await context.time.advanceAndSettle(300_000);
    assert.equal(standIn.monitoring.series.length, 2);
    assert.notEqual(
      standIn.monitoring.series[0]?.resource.labels["task_id"],
      standIn.monitoring.series[1]?.resource.labels["task_id"],
    );
    assert.deepEqual(
      standIn.refusals.filter((message) => !/already exists/.test(message)),
      [],
    );
  });

  it("puts the task into a label when the resource has no place for it", async () => {
    const resource = { type: "global" };
    const { context, standIn, report } = setup({ resource });
    report({ labels: Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`l${index}`, "x"])) });
    report({ name: "own", labels: { task: "mine" } });
    await context.time.advanceAndSettle(60_000);
    const [wide, own] = standIn.monitoring.series;
    assert.deepEqual(wide?.resource, { type: "global", labels: { project_id: "demo" } });
    assert.equal(Object.keys(wide?.labels ?? {}).length, 30);
    assert.match(wide?.labels["task"] ?? "", /-\d+-[0-9a-f-]+$/);
    assert.equal(own?.labels["task_2"], "mine");
    assert.deepEqual(standIn.refusals, []);
  });

  it("tries again within the interval, 5 s apart and longer each time", async () => {
    const { context, handler, standIn, report, warnings } = setup();
    report({});
    standIn.failNext("503", "503", "503");
    await context.time.advanceAndSettle(60_000);
    assert.equal(standIn.calls, 1);
    await context.time.advanceAndSettle(4_999);
    assert.equal(standIn.calls, 1);
    await context.time.advanceAndSettle(1);
    assert.equal(standIn.calls, 2);
    await context.time.advanceAndSettle(10_000);
    assert.equal(standIn.calls, 3);
    assert.equal(await handler.healthy?.(), false);
    report({});
    await context.time.advanceAndSettle(20_000);
    assert.deepEqual(valuesOf(standIn), [["2"]]);
    assert.equal(await handler.healthy?.(), true);
    assert.deepEqual(warnings(), ["metrics could not be pushed"]);
  });

  it("heeds RetryInfo", async () => {
    const { context, standIn, report } = setup();
    report({});
    standIn.failNext("429");
    await context.time.advanceAndSettle(66_999);
    assert.equal(standIn.calls, 1);
    await context.time.advanceAndSettle(1);
    assert.deepEqual(valuesOf(standIn), [["1"]]);
  });

  it("bounds each call, and does not repeat a point whose answer was lost", async () => {
    const { context, standIn, report } = setup({ timeout: "10s" });
    report({});
    await context.time.advanceAndSettle(60_000);
    standIn.failNext("hang");
    report({});
    await context.time.advanceAndSettle(60_000);
    standIn.failNext("lost");
    await context.time.advanceAndSettle(10_000 + 5_000);
    await context.time.advanceAndSettle(10_000);
    assert.deepEqual(valuesOf(standIn), [["1", "2", "2"]]);
    assert.deepEqual(standIn.refusals, []);
  });

  it("does not repeat refused points, and warns once", async () => {
    const { context, standIn, report, warnings, exposition } = setup();
    report({});
    await context.time.advanceAndSettle(60_000);
    // Another writer of the same series.
    const [series] = standIn.monitoring.series;
    series?.points.push({
      startMs: Date.UTC(2026, 0, 1),
      endMs: context.clock.nowMs() + 58_000,
      value: { int64Value: "9" },
    });
    report({}, { labels: { other: "x" } });
    await context.time.advanceAndSettle(60_000);
    assert.equal(standIn.calls, 4);
    assert.equal(series?.points.length, 2);
    assert.equal(standIn.monitoring.series.length, 2);
    assert.deepEqual(warnings().length, 1);
    await context.time.advanceAndSettle(60_000);
    const text = exposition();
    assert.match(text, /points_total\{handler="test",outcome="too_frequent"\} 1\n/);
    assert.deepEqual(series?.points.at(-1)?.value, { int64Value: "2" });
    assert.match(warnings()[0] ?? "", /because of its time/);
  });

  it("writes the other series of a call when one is invalid", async () => {
    const { context, standIn, report } = setup();
    standIn.monitoring.createDescriptor({
      type: `${PREFIX}b`,
      metricKind: "GAUGE",
      valueType: "DOUBLE",
      labels: [],
    });
    report({ name: "a" }, { name: "b" }, { name: "c" });
    await context.time.advanceAndSettle(60_000);
    assert.deepEqual(
      standIn.monitoring.series.map(({ type }) => type),
      [`${PREFIX}a`, `${PREFIX}c`],
    );
    // Three descriptors, a call that was refused, and its repetition.
    assert.equal(standIn.calls, 5);
  });

  it("repeats what the service failed to write of a call", async () => {
    const { context, standIn, report } = setup();
    report({ labels: { user: "a" } }, { labels: { user: "b" } });
    await context.time.advanceAndSettle(1);
    standIn.failNext("partial", "partial");
    await context.time.advanceAndSettle(59_999);
    assert.deepEqual(valuesOf(standIn), [["1"]]);
    await context.time.advanceAndSettle(5_000);
    assert.deepEqual(valuesOf(standIn), [["1", "1"], ["1"]]);
  });

  it("keeps its points in order when the clock is set back, and recovers when it was ahead", async () => {
    const { context, standIn, report } = setup();
    report({});
    await context.time.advanceAndSettle(120_000);
    context.time.setWallClock(context.clock.nowMs() - 3_600_000);
    report({ labels: { late: "x" } }, {});
    await context.time.advanceAndSettle(120_000);
    context.time.setWallClock(context.clock.nowMs() + 2 * 3_600_000);
    await context.time.advanceAndSettle(120_000);
    context.time.setWallClock(context.clock.nowMs() - 3_600_000);
    report({}, { labels: { last: "x" } });
    await context.time.advanceAndSettle(120_000);
    const timing = standIn.refusals.filter((message) => !/in the future/.test(message));
    assert.deepEqual(timing, []);
    assert.equal((valuesOf(standIn) as string[][])[0]?.at(-1), "3");
    assert.equal((valuesOf(standIn) as string[][]).at(-1)?.at(-1), "1");
  });

  it("pushes once more at close, but no series twice within 5 s", async () => {
    const { context, handler, standIn, report, warnings, exposition } = setup();
    report({ labels: { user: "a" } });
    await context.time.advanceAndSettle(60_000);
    report({ labels: { user: "a" } }, { labels: { user: "b" } });
    await context.time.advanceAndSettle(1_000);
    await handler.close();
    assert.deepEqual(valuesOf(standIn), [["1"], ["1"]]);
    assert.deepEqual(warnings(), [
      "the handler was closed before the last reports of some series were pushed",
    ]);
    assert.match(exposition(), /metric="requests_total",reason="closed"\} 1\n/);
    assert.equal(context.time.scheduled, 0);
    assert.deepEqual(standIn.refusals, []);
    assert.throws(() => report({}), /the handler is closed/);
    await handler.close();
  });

  it("closes in time when the service hangs", async () => {
    const { context, handler, standIn, report } = setup({ closeTimeout: "1s" });
    report({});
    standIn.failNext("hang", "hang", "hang");
    await context.time.advanceAndSettle(61_000);
    let closed = false;
    void Promise.resolve(handler.close()).then(() => (closed = true));
    await context.time.advanceAndSettle(999);
    assert.equal(closed, false);
    await context.time.advanceAndSettle(1);
    await context.time.advanceAndSettle(0);
    assert.equal(closed, true);
    assert.equal(context.time.scheduled, 0);
  });
});
