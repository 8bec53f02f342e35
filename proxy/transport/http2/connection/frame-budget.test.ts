// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { FrameBudget } from "./frame-budget.ts";
import { PrematureResets } from "./premature-resets.ts";

describe("the frames of a connection", () => {
  it("that a client earns by requests and responses are within its budget, however many", () => {
    const budget = new FrameBudget(1_000);
    for (let stream = 0; stream < 20_000; stream++) {
      assert.equal(budget.onFrame(1, 4, 100), undefined);
      budget.onDataSent();
      for (let times = 0; times < 10; times++) {
        assert.equal(budget.onFrame(8, 0, 4), undefined);
        assert.equal(budget.onFrame(6, 0, 8), undefined);
        assert.equal(budget.onFrame(2, 0, 5), undefined);
      }
      assert.equal(budget.onFrame(0, 0, 0), undefined);
      assert.equal(budget.onFrame(0, 1, 0), undefined);
    }
  });

  it("may not fill a head beyond its limit, in however many parts", () => {
    const budget = new FrameBudget(1_000);
    assert.equal(budget.onFrame(1, 0, 600), undefined);
    assert.equal(budget.onFrame(9, 0, 400), undefined);
    assert.equal(budget.onFrame(9, 4, 1), "a header block is too large");
    assert.equal(budget.onFrame(1, 4, 600), undefined);
  });
});

describe("premature resets", () => {
  it("end a connection when they are more than half of its streams, of 500 at least", () => {
    const few = new PrematureResets();
    for (let count = 0; count < 250; count++) assert.equal(few.onStreamClosed(true), false);
    assert.equal(few.onStreamClosed(true), true);
    const many = new PrematureResets();
    for (let count = 0; count < 5_000; count++) {
      assert.equal(many.onStreamClosed(false), false);
      assert.equal(many.onStreamClosed(true), false);
    }
  });
});
