// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { MetricType } from "../../plugins/sdk/index.ts";
import { pageOf } from "../../core/exposition/page.ts";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { Family } from "./family.ts";
import { Series } from "./series.ts";
import { SeriesTable } from "./series-table.ts";

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
    nativeHistograms: false,
    createdSamples: false,
    clock: createVirtualTime().clock,
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
            assert.equal(ours.record(labels, value, 0)?.overflow, false);
            theirs.record(labels, value);
          }
          const text = [...pageOf([ours.exposed()], "text")].join("");
          assert.equal(text, (await theirs.registry.metrics()).replace(/le="(\d+)"/g, 'le="$1.0"'));
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a table of series", () => {
  const tableOf = (maxSeries: number, expireAfterMs?: number, keys: readonly string[] = LABELS) =>
    new SeriesTable({
      keys,
      maxSeries,
      expireAfterMs,
      create: (labels, overflow) =>
        new Series(labels, { buckets: 0, overflow, createdMs: 0, native: undefined }),
    });

  it("has one series for each set of values, also when their texts or their hashes are alike", () => {
    const table = tableOf(10_000);
    const sets = [
      ["1", "2"],
      ["12", ""],
      ["", "12"],
      ["2", "1"],
      // The hash looks at one character of a value, while the table grows from 16 slots to 16,384.
      ...Array.from({ length: 5_000 }, (_, index) => [`user-${String(index).padStart(8, "0")}-z`, "x"]),
    ];
    const found = sets.map(([a = "", b = ""]) => table.seriesFor({ a, b }, 0));
    assert.equal(new Set(found).size, sets.length);
    for (let round = 0; round < 2; round++) {
      for (const [index, [a = "", b = ""]] of sets.entries())
        assert.equal(table.seriesFor({ a, b }, 0), found[index]);
    }
  });

  it("finds a series whatever the order of its labels, and none for other labels", () => {
    const table = tableOf(10);
    const series = table.seriesFor({ a: "x", b: "y" }, 0);
    assert.equal(table.seriesFor({ b: "y", a: "x" }, 0), series);
    for (const labels of [{}, { a: "x" }, { a: "x", c: "y" }, { a: "x", b: "y", c: "" }])
      assert.equal(table.seriesFor(labels as never, 0), undefined);
    assert.equal(table.seriesFor({ a: 1, b: undefined } as never, 0)?.labels.join(), "1,");
    assert.equal(table.size, 2);
  });

  it("finds series with hostile label names, with no label and with very many", () => {
    const names = ["__proto__", "constructor", 'a"];throw 1;//', "\u2028", "length", "9"];
    for (const keys of [[], names, Array.from({ length: 100 }, (_, index) => `l${index}`)]) {
      const table = tableOf(10, undefined, keys);
      const labels = Object.fromEntries(keys.map((key) => [key, `value of ${key}`]));
      const series = table.seriesFor(labels, 0);
      assert.deepEqual(
        series?.labels,
        keys.map((key) => labels[key]),
      );
      assert.equal(table.seriesFor({ ...labels }, 0), series);
    }
  });

  it("keeps nothing of the label sets beyond maxSeries, and takes new ones when series have expired", () => {
    const table = tableOf(2, 1_000);
    for (const a of ["x", "y", "z", "w"]) table.seriesFor({ a, b: "" }, 0);
    assert.deepEqual(
      [...table.all].map(({ labels, overflow }) => [labels[0], overflow]),
      [
        ["x", false],
        ["y", false],
        ["_overflow", true],
      ],
    );
    const kept = table.seriesFor({ a: "x", b: "" }, 999);
    table.expire(1_000);
    assert.deepEqual([...table.all], [kept]);
    assert.equal(table.seriesFor({ a: "x", b: "" }, 1_000), kept);
    assert.equal(table.seriesFor({ a: "y", b: "" }, 1_000)?.overflow, false);
    assert.equal(table.size, 2);
  });

  it("makes room of idle series by itself when nobody scrapes", () => {
    const table = tableOf(2, 1_000);
    for (const a of ["x", "y", "z"]) table.seriesFor({ a, b: "" }, 0);
    assert.equal(table.seriesFor({ a: "new", b: "" }, 2_000)?.overflow, false);
    assert.equal(table.size, 1);
  });

  it("counts a label set of a client that looks like the overflow series in the overflow series", () => {
    const table = tableOf(2);
    for (const a of ["x", "y", "z"]) table.seriesFor({ a, b: "" }, 0);
    assert.equal(table.seriesFor({ a: "_overflow", b: "_overflow" }, 0)?.overflow, true);
    assert.equal(table.size, 3);
  });
});
