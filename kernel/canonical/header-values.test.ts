// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { headerValues } from "./header-values.ts";
import { RecordShapes } from "./record-shapes.ts";

/** Names with meanings of their own for objects and for code that is made of text. */
const NAMES = ["host", "x-user", "__proto__", "constructor", "tostring", "0", "1", '"];throw 1;//', "cookie"];

const fields = fc.array(
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom("1", "", "a, b", "\u00c3\u00a9", "\u00e9")),
  { maxLength: 6 },
);

describe("header values", () => {
  it("are the same by a learned shape as without one", () => {
    fc.assert(
      fc.property(fields, (pairs) => {
        const flat = pairs.flat();
        const first = headerValues(flat);
        const entries = Object.entries(first.joined);
        assert.equal(Object.keys(first.joined).length, new Set(pairs.map(([name]) => name)).size);
        for (let times = 0; times < 20; times++) {
          const { joined, repeated } = headerValues(flat);
          assert.deepEqual(Object.entries(joined), entries);
          assert.equal(JSON.stringify(repeated), JSON.stringify(first.repeated));
          for (const name of NAMES) {
            assert.equal(Object.hasOwn(joined, name), Object.hasOwn(first.joined, name));
            assert.equal(joined[name], first.joined[name]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("have no name but those of the fields", () => {
    for (let times = 0; times < 40; times++) {
      const { joined } = headerValues(["x-learned", "1"]);
      for (const name of ["constructor", "__proto__", "toString", "valueOf"]) assert.ok(!(name in joined));
    }
  });
});

describe("shapes of records", () => {
  const learn = (shapes: RecordShapes, flat: readonly string[]): boolean => {
    for (let times = 0; times < 40; times++) if (shapes.recordOf(flat) !== undefined) return true;
    return false;
  };

  it("are learned for names that come again and again, whatever their values", () => {
    const shapes = new RecordShapes();
    for (let times = 0; times < 40; times++) shapes.recordOf(["a", String(times), "b", "x"]);
    assert.deepEqual({ ...shapes.recordOf(["a", "1", "b", "2"]) }, { a: "1", b: "2" });
    assert.equal(shapes.recordOf(["b", "1", "a", "2"]), undefined);
  });

  it("are not learned for repeated names, nor for very many", () => {
    const shapes = new RecordShapes();
    assert.equal(learn(shapes, ["a", "1", "a", "2"]), false);
    assert.equal(
      learn(
        shapes,
        Array.from({ length: 200 }, (_, index) => `x${index}`),
      ),
      false,
    );
  });

  it("keep a few of each length: those that were used last", () => {
    const shapes = new RecordShapes();
    const sequences = Array.from({ length: 100 }, (_, index) => [`n${index}`, "1"]);
    for (const flat of sequences) assert.ok(learn(shapes, flat));
    assert.equal(sequences.filter((flat) => shapes.recordOf(flat) !== undefined).length, 4);
  });
});
