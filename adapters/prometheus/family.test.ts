// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MetricType } from "../../plugins/sdk/index.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { Family } from "./family.ts";
import { SeriesTable } from "./series-table.ts";

const { clock } = createVirtualTime();
const BOUNDS = [0.5, 1, 10];
const LABELS = ["a", "b"];

function family(type: MetricType, help: string): Family {
  const bounds = type === "histogram" ? BOUNDS : [];
  const names = { keys: LABELS, labelNames: LABELS };
  return new Family({
    name: "m",
    type,
    help,
    ...names,
    bounds,
    maxSeries: 100,
    expireAfterMs: undefined,
    clock,
  });
}

function promClient(type: MetricType, help: string) {
  const registry = new Registry();
  const definition = { name: "m", help, labelNames: LABELS, registers: [registry] };
  switch (type) {
    case "counter": {
      const metric = new Counter(definition);
      return { registry, record: (labels: Labels, value: number) => metric.inc(labels, value) };
    }
    case "gauge": {
      const metric = new Gauge(definition);
      return { registry, record: (labels: Labels, value: number) => metric.set(labels, value) };
    }
    case "histogram": {
      const metric = new Histogram({ ...definition, buckets: [...BOUNDS] });
      return { registry, record: (labels: Labels, value: number) => metric.observe(labels, value) };
    }
  }
}

type Labels = { readonly a: string; readonly b: string };

describe("a family", () => {
  it("has the text that prom-client writes for the same observations", async () => {
    const text = fc.oneof(fc.constantFrom("", "x", 'a"b\\c\nd', "é"), fc.string());
    const observation = fc.record({
      labels: fc.record({ a: text, b: text }),
      value: fc.oneof(fc.constantFrom(0, 0.5, 1, 10, 11), fc.double({ min: 0, max: 1e9, noNaN: true })),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<MetricType>("counter", "gauge", "histogram"),
        text.map((help) => `Help ${help}`),
        fc.array(observation, { minLength: 1, maxLength: 20 }),
        async (type, help, observations) => {
          const ours = family(type, help);
          const theirs = promClient(type, help);
          for (const { labels, value } of observations) {
            assert.equal(ours.record(labels, value), false);
            theirs.record(labels, value);
          }
          assert.equal(ours.text(), await theirs.registry.metrics());
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a table of series", () => {
  const tableOf = (maxSeries: number, expireAfterMs?: number) => {
    const time = createVirtualTime();
    const options = { keys: LABELS, maxSeries, expireAfterMs, clock: time.clock, buckets: 0 };
    return { time, table: new SeriesTable(options) };
  };

  it("has one series for each set of values, also when their texts are alike", () => {
    const { table } = tableOf(100);
    const sets = [
      ["1", "2"],
      ["12", ""],
      ["", "12"],
      ["2", "1"],
    ] as const;
    const found = sets.map(([a, b]) => table.seriesFor({ a, b }));
    assert.equal(new Set(found).size, sets.length);
    assert.deepEqual(
      sets.map(([a, b]) => table.seriesFor({ a, b })),
      found,
    );
  });

  it("keeps nothing of the label sets beyond maxSeries, and takes new ones when series have expired", () => {
    const { table, time } = tableOf(2, 1_000);
    for (const a of ["x", "y", "z", "w"]) table.seriesFor({ a, b: "" });
    assert.deepEqual(
      [...table.all].map(({ labels, overflow }) => [labels[0], overflow]),
      [
        ["x", false],
        ["y", false],
        ["_overflow", true],
      ],
    );
    time.advance(999);
    const kept = table.seriesFor({ a: "x", b: "" });
    time.advance(1);
    table.expire();
    assert.deepEqual([...table.all], [kept]);
    assert.equal(table.seriesFor({ a: "x", b: "" }), kept);
    assert.equal(table.seriesFor({ a: "y", b: "" }).overflow, false);
    assert.equal(table.size, 2);
  });
});
