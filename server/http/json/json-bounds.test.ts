// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { isPurserError } from "../../../kernel/errors.ts";
import { assertJsonBounds } from "./json-bounds.ts";

function codeOf(text: string): string | undefined {
  try {
    assertJsonBounds(text);
    return undefined;
  } catch (error) {
    return isPurserError(error) ? error.code : String(error);
  }
}

/** Number of commas, objects and arrays of a value, and its depth. */
function measure(value: unknown): { readonly parts: number; readonly depth: number } {
  if (typeof value !== "object" || value === null) return { parts: 0, depth: 0 };
  const commas = Math.max(0, Object.keys(value).length - 1);
  const inner = Object.values(value).map(measure);
  return {
    parts: inner.reduce((sum, { parts }) => sum + parts, 1 + commas),
    depth: inner.reduce((most, { depth }) => Math.max(most, depth + 1), 1),
  };
}

describe("the bounds of a JSON body", () => {
  it("pass every ordinary value, whatever its strings contain", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        assert.equal(codeOf(text), undefined);
      }),
    );
  });

  it("do not count brackets and commas within strings", () => {
    const text = fc.constantFrom('"', "\\", "{", "[", "}", "]", ":", '\\"', "a");
    const texts = fc.array(text, { maxLength: 8 }).map((parts) => parts.join(""));
    const value = fc.dictionary(texts, fc.oneof(texts, fc.array(texts, { maxLength: 3 })), { maxKeys: 5 });
    fc.assert(
      fc.property(
        value,
        fc.integer({ min: 19_900, max: 20_100 }),
        fc.integer({ min: 95, max: 105 }),
        (one, parts, depth) => {
          const padded = [one, ...Array<[]>(parts).fill([])];
          const counted = measure(padded).parts;
          assert.equal(
            codeOf(JSON.stringify(padded)),
            counted > 40_000 ? "PURSER_REQUEST_TOO_LARGE" : undefined,
          );
          const deep = `${"[".repeat(depth)}${JSON.stringify(one)}${"]".repeat(depth)}`;
          const reached = depth + measure(one).depth;
          assert.equal(codeOf(deep), reached > 100 ? "PURSER_REQUEST_INVALID" : undefined);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("leave invalid JSON to the parser", () => {
    for (const text of ["", '"', '"\\', "}}}", "]".repeat(1_000), "{:", "nonsense"])
      assert.equal(codeOf(text), undefined);
  });

  it("are checked before the text is parsed", () => {
    assert.equal(codeOf("[".repeat(1_000_000)), "PURSER_REQUEST_INVALID");
    const distinct = Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join();
    assert.equal(codeOf(`{${distinct}}`), "PURSER_REQUEST_TOO_LARGE");
  });
});
