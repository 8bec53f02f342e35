// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { metricInstance } from "../../../plugins/sdk/testing/index.ts";
import { createCollectingLogger, createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { Counters } from "../counters.ts";
import { bucketBounds } from "./bounds.ts";
import { MetricBook } from "./metric.ts";
import { unitOf } from "./names.ts";
import { PointTimes } from "./point-times.ts";
import { refusalsOf } from "./refusals.ts";
import { SeriesTable } from "./series-table.ts";

const NOW = 1_000_000;

describe("the times of a series' points", () => {
  it("begin after the last point of a series with the same labels", () => {
    assert.deepEqual(new PointTimes(NOW, NOW + 100).next(NOW), { startMs: NOW + 101, endMs: NOW + 5_100 });
    assert.deepEqual(new PointTimes(NOW, undefined).next(NOW), { startMs: NOW - 1, endMs: NOW });
  });

  it("move the start when the clock is set back before the first point", () => {
    assert.deepEqual(new PointTimes(NOW, undefined).next(NOW - 500), {
      startMs: NOW - 501,
      endMs: NOW - 500,
    });
    assert.deepEqual(new PointTimes(NOW, 10).next(20), { startMs: 5_009, endMs: 5_010 });
  });

  it("go on after a point that may have been written, and back when it was refused", () => {
    const times = new PointTimes(NOW, undefined);
    times.written(NOW + 10_000);
    times.sent(NOW + 60_000);
    assert.equal(times.next(NOW).endMs, NOW + 65_000);
    assert.equal(times.isSpaced(NOW + 64_999), false);
    times.refused();
    assert.equal(times.next(NOW).endMs, NOW + 15_000);
    times.restart();
    assert.deepEqual(times.next(NOW), { startMs: NOW + 10_001, endMs: NOW + 15_000 });
  });
});

describe("the table of series", () => {
  const tableOf = (maxSeries: number) => {
    const time = createVirtualTime(NOW);
    const counters = new Counters("test", createCollectingLogger());
    const metrics = new MetricBook(
      { metricPrefix: "a.googleapis.com/", valueTypes: {} },
      { metricLabels: {} },
      counters,
    );
    return {
      time,
      table: new SeriesTable({ metrics, counters, clock: time.clock, maxSeries, expireAfterMs: 1000 }),
    };
  };

  it("takes a report that comes while a point is on its way into the next point", () => {
    const { table } = tableOf(1);
    table.fold(metricInstance());
    const [series] = table.all();
    const point = series?.send(NOW + 1000);
    assert.ok(point !== undefined);
    table.fold(metricInstance());
    series?.written(point);
    assert.equal(series?.isChanged, true);
    assert.deepEqual(series?.send(NOW + 9000)?.value, { int64Value: "2" });
  });

  it("begins a series that comes back after its last point, although the clock was set back", () => {
    const { time, table } = tableOf(1);
    table.fold(metricInstance());
    const [series] = table.all();
    const point = series?.send(NOW + 60_000);
    assert.ok(point !== undefined);
    series?.written(point);
    time.advance(2000);
    table.expire();
    assert.equal(table.size, 0);
    table.fold(metricInstance());
    const { startTime, endTime } = table.all()[0]?.send(NOW)?.interval ?? {};
    assert.equal(Date.parse(startTime ?? ""), NOW + 60_001);
    assert.equal(Date.parse(endTime ?? ""), NOW + 65_000);
  });

  it("takes labels in any order for the same series", () => {
    const { table } = tableOf(9);
    table.fold(metricInstance({ labels: { a: "1", b: "2" } }));
    table.fold(metricInstance({ labels: { b: "2", a: "1" } }));
    table.fold(metricInstance({ labels: { b: "2", a: "1", c: "" } }));
    assert.equal(table.size, 1);
  });

  it("writes no point when the clock shows no time of any calendar", () => {
    const { table } = tableOf(1);
    table.fold(metricInstance());
    assert.equal(table.all()[0]?.send(1e17), undefined);
  });
});

describe("the form of metrics", () => {
  it("thins bounds evenly, sorts them and drops those that are not finite", () => {
    const many = Array.from({ length: 1000 }, (_, bound) => bound);
    const thinned = bucketBounds({ buckets: many });
    assert.equal(thinned.length, 199);
    assert.deepEqual([thinned[0], thinned.at(-1)], [0, 999]);
    assert.equal(new Set(thinned).size, 199);
    assert.deepEqual(bucketBounds({ buckets: [3, 1, 1, Number.POSITIVE_INFINITY] }), [1, 3]);
    assert.equal(bucketBounds({ unit: "ms" })[0], 1);
    assert.equal(bucketBounds({ unit: "bytes" })[0], 64);
    assert.equal(bucketBounds({})[0], 0.001);
  });

  it("writes units in UCUM", () => {
    const units = ["seconds", "Bytes", "ms", "{request}", "a b", "é", undefined].map(unitOf);
    assert.deepEqual(units, ["s", "By", "ms", "{request}", undefined, undefined, undefined]);
  });
});

describe("the reading of refusals", () => {
  const summary = (success: number) => ({
    "@type": "type.googleapis.com/google.monitoring.v3.CreateTimeSeriesSummary",
    totalPointCount: 10,
    successPointCount: success,
  });
  const read = (message: string, details: Readonly<Record<string, unknown>>[]) => {
    const { named, others } = refusalsOf(
      { message, details, status: "INVALID_ARGUMENT", error: undefined as never },
      10,
    );
    return { named: [...named], others };
  };

  it("finds the reason of each position", () => {
    const message =
      "One or more TimeSeries could not be written: One or more points were written more frequently than the maximum sampling period " +
      "configured for the metric.: global{} timeSeries[0-1,3]: custom.googleapis.com/x{}; Unknown metric: timeSeries[7]: y{}";
    assert.deepEqual(read(message, [summary(6)]), {
      named: [
        [0, "too_frequent"],
        [1, "too_frequent"],
        [3, "too_frequent"],
        [7, "refused"],
      ],
      others: "written",
    });
  });

  it("trusts nothing that does not add up", () => {
    assert.equal(read("timeSeries[0]", [summary(3)]).others, "unknown");
    assert.deepEqual(read("timeSeries[-, 9-99999, 4-2, x]", []), { named: [], others: "not_written" });
    assert.deepEqual(read("timeSeries[9-99999, 4-2]", []).named, [[9, "refused"]]);
    assert.deepEqual(read("no position", []), { named: [], others: "not_written" });
  });

  it("reads a hostile message in linear time", () => {
    const startMs = performance.now();
    read("timeSeries[0-".repeat(100_000), []);
    read(`timeSeries[${"0-999999,".repeat(10_000)}]`, []);
    assert.ok(performance.now() - startMs < 1000);
  });
});
