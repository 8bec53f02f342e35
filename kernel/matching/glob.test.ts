// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { globToRegex } from "./glob.ts";
import { compileRe2 } from "./regex.ts";

function matches(glob: string, value: string): boolean {
  const compiled = compileRe2(globToRegex(glob));
  assert.ok(compiled.ok, compiled.ok ? "" : `${glob}: ${compiled.message}`);
  return compiled.regex.matches(value);
}

const CASES: readonly (readonly [glob: string, yes: readonly string[], no: readonly string[]])[] = [
  ["*.example.com", ["a.example.com", "a.b.example.com", ".example.com"], ["example.com", "a.exampleXcom"]],
  ["/v1/*", ["/v1/", "/v1/users"], ["/v1/users/7", "/v2/users"]],
  ["/v1/**", ["/v1/", "/v1/users/7", "/v1/a\nb"], ["/v1"]],
  ["v?", ["v1", "vé"], ["v", "v12", "v/"]],
  ["v?😀*", ["v😀😀", "va😀b"], ["v😀", "v"]],
  ["[!😀]", ["😁", "a"], ["😀", "/"]],
  ["[😀-😃]", ["😁"], ["😄"]],
  ["[a-c]x", ["ax", "cx"], ["dx", "-x"]],
  ["[!a-c]x", ["dx"], ["ax", "/x"]],
  ["[]a]", ["]", "a"], ["b", "[]"]],
  ["[a-]", ["a", "-"], ["b"]],
  ["{ada,gra*}", ["ada", "grace"], ["ad", "{ada,grace}"]],
  ["{a,{b,c}}d", ["ad", "bd", "cd"], ["d"]],
  ["\\*\\{", ["*{"], ["a{"]],
  ["a,b}", ["a,b}"], ["a", "b"]],
  ["", [""], ["a"]],
  ["(a|b)+$^.", ["(a|b)+$^."], ["a"]],
];

describe("a glob", () => {
  for (const [glob, yes, no] of CASES) {
    it(`${JSON.stringify(glob)} matches its texts and no others`, () => {
      for (const value of yes) assert.ok(matches(glob, value), `should match ${JSON.stringify(value)}`);
      for (const value of no) assert.ok(!matches(glob, value), `should not match ${JSON.stringify(value)}`);
    });
  }

  it("is refused with an unclosed bracket or brace, or a trailing backslash", () => {
    for (const glob of ["[a", "a[", "[!]", "{a,b", "{a,{b}", "a\\"])
      assert.throws(() => globToRegex(glob), Error, glob);
  });

  it("matches itself when every special character is quoted, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const quoted = text.replace(/[*?[\]{},\\]/g, "\\$&");
        assert.ok(matches(quoted, text));
      }),
      { numRuns: 300 },
    );
  });
});
