// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { retryLimit } from "./retry-limit.ts";

describe("the limit of retries under way", () => {
  it("is maxRetries, whatever the number of requests", () => {
    for (const active of [0, 1, 1_000]) assert.equal(retryLimit({ maxRetries: 3 }, active), 3);
    assert.equal(retryLimit({ maxRetries: 0 }, 1_000), 0);
  });

  for (const [percent, minRetryConcurrency, active, limit] of [
    [20, 3, 0, 3],
    [20, 3, 15, 3],
    [20, 3, 19, 3],
    [20, 3, 20, 4],
    [20, 3, 1_000, 200],
    [0, 0, 1_000, 0],
    [100, 0, 7, 7],
    [29, 0, 100, 29],
    [0.5, 0, 199, 0],
    [0.5, 0, 200, 1],
  ] as const) {
    it(`is ${limit} with a budget of ${percent} %, ${minRetryConcurrency} at least, and ${active} requests`, () => {
      const retryBudget = { percent, minRetryConcurrency };
      assert.equal(retryLimit({ maxRetries: 1, retryBudget }, active), limit);
    });
  }
});
