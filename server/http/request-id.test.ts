// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { newId } from "./request-id.ts";

describe("new request ids", () => {
  it("are the random numbers' 32 bits in 8 hex digits each", () => {
    const bits = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(bits, bits, (first, second) => {
        const numbers = [first, second].map((value) => value / 0x1_0000_0000);
        const expected = [first, second].map((value) => value.toString(16).padStart(8, "0")).join("");
        assert.equal(
          newId(() => numbers.shift() as number),
          expected,
        );
      }),
    );
  });
});
