// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { isoMillis, isoText } from "./iso-time.ts";

/** Four-digit years. */
const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

describe("a time in ISO 8601", () => {
  it("is written as JavaScript writes it", () => {
    const lastDate = { day: Number.NaN, text: "" };
    fc.assert(
      fc.property(time, (millis) => assert.equal(isoText(millis, lastDate), new Date(millis).toISOString())),
      {
        numRuns: 2_000,
      },
    );
    for (const millis of [253_402_300_800_000, -62_167_219_200_001, 0.5, Number.NaN, Infinity])
      assert.equal(isoText(millis, lastDate), undefined, String(millis));
  });

  it("is read as JavaScript reads it, or left to it", () => {
    fc.assert(
      fc.property(time, fc.boolean(), (millis, isWhole) => {
        const text = new Date(isWhole ? Math.floor(millis / 1_000) * 1_000 : millis).toISOString();
        const given = isWhole ? text.replace(".000Z", "Z") : text;
        assert.ok([undefined, Date.parse(given)].includes(isoMillis(given)), given);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(isoMillis("2026-11-27T10:15:30.123Z"), 1_795_774_530_123);
  });

  it("is left to JavaScript when it is anything else", () => {
    const plain = "2026-11-27T10:15:30.123Z";
    fc.assert(
      fc.property(fc.nat(plain.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, other) => {
        const text = plain.slice(0, at) + other + plain.slice(at + 1);
        const millis = isoMillis(text);
        if (millis !== undefined) assert.equal(millis, Date.parse(text), text);
      }),
      { numRuns: 3_000 },
    );
    for (const text of [
      "",
      "2026",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "0000-01-01T00:00:00Z",
    ])
      assert.equal(isoMillis(text), undefined, text);
  });
});
