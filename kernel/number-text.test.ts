// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { numberText } from "./number-text.ts";

const agrees = (value: number): void => assert.equal(numberText(value), String(value));

describe("the text of a number", () => {
  it("is JavaScript's for whole numbers, thousandths, and their neighbours", () => {
    const counts = fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.maxSafeInteger());
    fc.assert(
      fc.property(counts, fc.constantFrom(1, 10, 100, 1_000, 10_000), (count, divisor) => {
        const value = count / divisor;
        for (const each of [value, -value, value + 1 / divisor, value * (1 + Number.EPSILON)]) agrees(each);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is JavaScript's for any number", () => {
    fc.assert(fc.property(fc.double(), agrees), { numRuns: 5_000 });
    for (const value of [0, -0, 0.001, 0.0005, 999.9995, 1e-7, 1e12 - 1, 1e12, 1e21, Number.NaN, Infinity])
      agrees(value);
  });
});
