// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { median, medianRatio, percentile, rounded } from "./statistics.ts";

describe("the bench's statistics", () => {
  it("gives the middle of an odd number of values, in any order", () => {
    assert.equal(median([9, 1, 5]), 5);
  });

  it("gives the mean of the two middle values of an even number", () => {
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });

  it("gives NaN as the median of no values, so that no bar is met by accident", () => {
    assert.ok(Number.isNaN(median([])));
  });

  it("gives percentiles by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    assert.equal(percentile(hundred, 50), 50);
    assert.equal(percentile(hundred, 99), 99);
    assert.equal(percentile([7], 99), 7);
    assert.equal(percentile([1, 2], 99), 2);
    assert.equal(percentile([], 99), 0);
  });

  it("compares within a round: a round that was slow for both does not move the ratio", () => {
    assert.equal(medianRatio([50, 5, 50], [100, 10, 100]), 0.5);
  });

  it("ignores rounds that only one of the two has, and rounds without an answer", () => {
    assert.equal(medianRatio([50, 60], [100]), 0.5);
    assert.equal(medianRatio([50, 60], [0, 120]), 0.5);
    assert.ok(Number.isNaN(medianRatio([50], [])));
  });

  it("rounds to the digits", () => {
    assert.equal(rounded(1.23456, 3), 1.235);
  });
});
