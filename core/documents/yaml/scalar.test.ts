// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Scalar, stringify } from "yaml";
import { readYaml } from "./read-yaml.ts";

const STYLES = ["PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const;

/** Where the character at `offset` of the value of `key` stands. */
function placeOf(
  text: string,
  offset: number,
  key = "key",
): { readonly line: number; readonly column: number } {
  const { documents, diagnostics } = readYaml({ path: "f", text });
  assert.deepEqual(diagnostics, []);
  const { line, column } = (documents[0] as (typeof documents)[0]).places.within([key], offset);
  return { line, column };
}

describe("the place of a character in a YAML scalar", () => {
  it("is exact in quoted text with escapes", () => {
    assert.deepEqual(placeOf("key: 'it''s x'", 5), { line: 1, column: 13 });
    assert.deepEqual(placeOf('key: "\\x41\\u0042\\n\\U0001F600 x"', 6), { line: 1, column: 30 });
    assert.deepEqual(placeOf('key: "a\\\n   b\n   c"', 3), { line: 3, column: 4 });
  });

  it("is after the last character for the end of the text", () => {
    assert.deepEqual(placeOf("key: abc  # comment", 3), { line: 1, column: 9 });
    assert.deepEqual(placeOf("key: 'abc'", 3), { line: 1, column: 10 });
    assert.deepEqual(placeOf("key: |\n  abc\n", 4), { line: 2, column: 6 });
  });

  it("is the alias, for a text that is written elsewhere", () => {
    assert.deepEqual(placeOf("first: &a abc\nkey: *a\n", 2), { line: 2, column: 6 });
  });

  it("holds the character itself, in every style", () => {
    const characters = fc.constantFrom("a", "b", '"', "'", "\\", ":", " ", "\n", "é", "😀");
    const texts = fc.string({ unit: characters, maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.constantFrom(...STYLES), (value, style) => {
        const text = stringify({ key: value }, { defaultStringType: style as Scalar.Type, lineWidth: 20 });
        const lines = text.split("\n");
        for (let offset = 0; offset < value.length; offset++) {
          const character = value[offset] as string;
          if (/\s/.test(character)) continue;
          const { line, column } = placeOf(text, offset);
          const there = (lines[line - 1] as string).slice(column - 1);
          const escaped = there.startsWith("\\") || (character === "'" && there.startsWith("''"));
          assert.ok(there.startsWith(character) || escaped, `${JSON.stringify(text)} at ${offset}: ${there}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});
