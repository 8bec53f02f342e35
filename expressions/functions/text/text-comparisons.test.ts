// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { COMPARISON_FUNCTIONS } from "./text-comparisons.ts";

const equals = COMPARISON_FUNCTIONS.find(({ name }) => name === "constantTimeEquals")
  ?.implementation as unknown as (a?: string, b?: string) => boolean | undefined;

describe("$constantTimeEquals", () => {
  it("agrees with ===", () => {
    const short = fc.string({ unit: fc.constantFrom("a", "b", "\u0000", "é"), maxLength: 4 });
    fc.assert(
      fc.property(short, short, (a, b) => equals(a, b) === (a === b)),
      { numRuns: 1000 },
    );
    fc.assert(fc.property(fc.string(), (text) => equals(text, `${text}`) === true));
  });

  it("compares every character, whichever differs first", () => {
    const read: number[] = [];
    const spied = (text: string): string =>
      Object.assign(Object.create(null), {
        length: text.length,
        charCodeAt(at: number) {
          read.push(at);
          return text.charCodeAt(at);
        },
      }) as string;
    assert.equal(equals(spied("xbcd"), "abcd"), false);
    assert.deepEqual(read, [0, 1, 2, 3]);
  });

  it("does not treat an absent secret as an empty text", () => {
    assert.equal(equals("", undefined), undefined);
    assert.equal(equals(undefined, ""), undefined);
    assert.equal(equals("", ""), true);
  });
});
