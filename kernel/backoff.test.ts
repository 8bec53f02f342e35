// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type BackoffLimits, backoffMs } from "./backoff.ts";

/** The shortest and the longest pause after a number of failures. */
const CASES: readonly (readonly [BackoffLimits, failures: number, shortest: number, longest: number])[] = [
  [{}, 0, 100, 100],
  [{}, 1, 100, 200],
  [{}, 3, 100, 800],
  [{}, 30, 100, 10_000],
  [{}, 5_000, 100, 10_000],
  [{ maxMs: 2_000 }, 10, 100, 2_000],
  [{ minMs: 0, baseMs: 25, maxMs: 250 }, 2, 0, 75],
  [{ minMs: 0, baseMs: 25, maxMs: 250 }, 4, 0, 250],
  [{ minMs: 50, baseMs: 450, maxMs: 500 }, 1, 50, 500],
];

describe("the pause before the next try", () => {
  for (const [limits, failures, shortest, longest] of CASES) {
    it(`is ${shortest} to ${longest} ms after ${failures} failures with ${JSON.stringify(limits)}`, () => {
      assert.equal(
        backoffMs(failures, () => 0, limits),
        shortest,
      );
      assert.equal(
        backoffMs(failures, () => 0.5, limits),
        (shortest + longest) / 2,
      );
      assert.ok(backoffMs(failures, () => 1 - Number.EPSILON, limits) <= longest);
    });
  }
});
