// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { durationMs, toJson } from "./index.ts";

describe("toJson", () => {
  it("equals JSON.stringify for values that JSON can represent", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        assert.equal(toJson(value), JSON.stringify(value));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves out the values that JSON leaves out", () => {
    for (const value of [undefined, () => 1, Symbol("s")]) assert.equal(toJson(value), undefined);
    assert.equal(toJson({ a: undefined, b: [undefined] }), '{"b":[null]}');
  });

  it("writes circular, deep and failing values and bigints as text", () => {
    const circle: Record<string, unknown> = { big: 2n ** 64n };
    circle["self"] = circle;
    circle["bad"] = { toJSON: () => assert.fail("not me") };
    assert.equal(toJson(circle), '{"big":"18446744073709551616","self":"[circular]","bad":"[unwritable]"}');
    let deep: unknown = "bottom";
    for (let level = 0; level < 100_000; level++) deep = [deep];
    assert.equal(toJson(deep), `${"[".repeat(20)}"[too deep]"${"]".repeat(20)}`);
  });
});

describe("durationMs", () => {
  it("converts the values of Duration fields, and refuses all others", () => {
    assert.equal(durationMs("1h30m"), 5_400_000);
    assert.throws(() => durationMs("soon"), /"soon" is not a duration/);
  });
});
