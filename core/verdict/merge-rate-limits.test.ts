// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { parseDictionary, parseList, serializeList } from "structured-headers";
import { isStricterXRateLimit, mergedLists, stricterDraft7 } from "./merge-rate-limits.ts";

const OURS = '"user";r=7;t=42';
const SHOWN = { limit: 100, remaining: 7, resetS: 42 };

/** Any bytes of a field value, with the characters of structured fields more often. */
const bytes = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'""\\\\;;,,==:?@%()*ab019.- \t'.split("")),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  ),
  maxLength: 40,
});

describe("the merged list of an upstream's field and ours", () => {
  const CASES: readonly (readonly [theirs: string, merged: string])[] = [
    ['"origin";r=3;t=9', `${OURS}, "origin";r=3;t=9`],
    ['"a";r=1,"b";r=2;pk=:AQI=:', `${OURS}, "a";r=1, "b";r=2;pk=:AQI=:`],
    ['"user";r=900;t=1, "b";r=2', `${OURS}, "b";r=2`],
    ['"user";r=900;t=1', OURS],
    ["", OURS],
    ['"unclosed', OURS],
    ['"a";r=1,', OURS],
    ['"a";r=1 "b"', OURS],
    ["limit=100, remaining=50, reset=30", OURS],
    ["100;w=60", OURS],
    ["token;r=1", OURS],
    ['("a" "b");r=1', OURS],
    ['"a";r=1, 7', OURS],
    [`"${"a".repeat(4_100)}"`, OURS],
  ];
  for (const [theirs, merged] of CASES)
    it(`is ${merged} for ${theirs.slice(0, 40)}`, () => {
      assert.equal(mergedLists(OURS, theirs, "string"), merged);
    });

  it("keeps the limits of draft 07, which may be equal", () => {
    assert.equal(
      mergedLists("100;w=60", "100;w=60, 5000;w=3600", "integer"),
      "100;w=60, 100;w=60, 5000;w=3600",
    );
    assert.equal(mergedLists("100;w=60", '"a";q=1', "integer"), "100;w=60");
    assert.equal(mergedLists("100;w=60", "-5;w=60", "integer"), "100;w=60");
  });

  it("is a list that begins with ours, for any bytes", () => {
    fc.assert(
      fc.property(bytes, (theirs) => {
        const merged = parseList(mergedLists(OURS, theirs, "string"));
        assert.equal(serializeList(merged.slice(0, 1)), OURS);
        for (const [value] of merged) assert.equal(typeof value, "string");
      }),
      { numRuns: 3_000 },
    );
  });

  it("has every member of a valid list, in order and with its parameters", () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab/ "\\;,='.split("")), minLength: 1, maxLength: 4 });
    const parameters = fc
      .dictionary(fc.constantFrom("r", "t", "x-note"), fc.oneof(fc.nat(), fc.boolean(), name))
      .map((members) => new Map(Object.entries(members)));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, parameters), { minLength: 1, maxLength: 4 }), (items) => {
        const theirs = serializeList(items);
        assert.equal(mergedLists(OURS, theirs, "string"), `${OURS}, ${theirs}`);
      }),
    );
  });
});

describe("an upstream's fields about one quota", () => {
  it("of draft 07 are kept when they leave less", () => {
    assert.equal(stricterDraft7(SHOWN, "limit=9,remaining=3,reset=1;a=b"), "limit=9, remaining=3, reset=1");
    assert.equal(stricterDraft7(SHOWN, "limit=9, remaining=7, reset=43"), "limit=9, remaining=7, reset=43");
    for (const theirs of [
      "limit=9, remaining=7, reset=42",
      "limit=9, remaining=8, reset=90",
      "limit=9, remaining=3",
      "limit=9, remaining=-3, reset=1",
      "limit=9, remaining=2.5, reset=1",
      "limit=9, remaining=(1 2), reset=1",
      "limit=9, remaining=three, reset=1",
      '"user";r=1;t=2',
      `limit=9, remaining=3, reset=1, x="${"a".repeat(5_000)}"`,
    ])
      assert.equal(stricterDraft7(SHOWN, theirs), undefined, theirs.slice(0, 40));
  });

  it("of draft 07 never throw, and give a dictionary, for any bytes", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          bytes.map((text) => `limit=9, remaining=3, reset=1${text}`),
        ),
        (theirs) => {
          const kept = stricterDraft7(SHOWN, theirs);
          if (kept !== undefined) assert.equal(parseDictionary(kept).size, 3);
        },
      ),
    );
  });

  it("of X-RateLimit are kept when all three are numbers and leave less", () => {
    assert.equal(isStricterXRateLimit(SHOWN, ["10", "3", "1"]), true);
    for (const theirs of [
      ["10", "8", "90"],
      ["10", "3", undefined],
      ["10", "3", "1764424000"],
      ["10", "3, 4", "1"],
      ["10, 10;w=60", "3", "1"],
      ["10", "", "1"],
      ["10", "-1", "1"],
    ])
      assert.equal(isStricterXRateLimit(SHOWN, theirs), false, theirs.join(" "));
  });
});
