// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { metricInstance } from "../../plugins/sdk/testing/index.ts";
import { SeriesTable } from "./series.ts";

const table = (...labels: readonly Readonly<Record<string, string>>[]): SeriesTable => {
  const series = new SeriesTable();
  for (const set of labels) series.add(metricInstance({ name: "m", labels: set }));
  return series;
};

describe("the series of a replay", () => {
  it("are the distinct label sets, with the number of values of each label", () => {
    const [finding] = table({ a: "1", b: "x" }, { a: "2", b: "x" }, { a: "1", b: "x" }).findings(undefined);
    assert.deepEqual(finding, {
      metric: "m",
      series: 2,
      more: false,
      labels: [
        { label: "a", values: 2, redacted: false },
        { label: "b", values: 1, redacted: false },
      ],
    });
  });

  it("are compared with a baseline", () => {
    const [finding] = table({ a: "1" }, { a: "2" }, { a: "3" }).findings(table({ a: "3" }, { a: "4" }));
    assert.deepEqual([finding?.added, finding?.removed], [2, 1]);
    assert.equal(table({ a: "1" }).findings(new SeriesTable())[0]?.added, 1);
  });

  it("mark labels that the log redacts", () => {
    assert.equal(table({ a: "[redacted]" }).findings(undefined)[0]?.labels[0]?.redacted, true);
  });

  it("are bounded", () => {
    const series = new SeriesTable();
    for (let index = 0; index < 100_001; index++)
      series.add(metricInstance({ name: "m", labels: { a: String(index) } }));
    const [finding] = series.findings(undefined);
    assert.deepEqual([finding?.series, finding?.more, finding?.labels[0]?.values], [100_000, true, 10_000]);
  });
});
