// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileRe2 } from "../regex.ts";

/** Of RE2's pattern: the texts that it matches whole, and those that it does not. */
const CASES: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] =
  [
    ["/v1/.*", ["/v1/", "/v1/a\rb", "/v1/😀"], ["/v1", "/v1/a\nb", "x/v1/"]],
    ["(?i)/Admin/K", ["/admin/k", "/ADMIN/\u212a"], ["/admin"]],
    ["(?i)a(?-i)b|c", ["ab", "Ab", "c"], ["aB", "C"]],
    ["x(?i:Y)z", ["xyz", "xYz"], ["Xyz", "xyZ"]],
    ["(?s).", ["\n", "😀"], ["", "ab"]],
    [".", ["a", "😀", "\u2028"], ["\n", "ab"]],
    ["..", ["😀😀", "a😀"], ["😀"]],
    [".+.+", ["ab", "😀a"], ["😀"]],
    ["[^/]+", ["a", "😀", "\r\n"], ["a/", ""]],
    ["[^/]{2}", ["a😀"], ["😀"]],
    ["a[^b]?", ["a😀", "a"], ["ab"]],
    ["\\s", [" ", "\t", "\f", "\r", "\n"], ["\v", "\u00a0", "\u2003"]],
    ["\\S", ["\v", "\u00a0", "😀"], [" "]],
    ["(?i)\\w", ["\u017f", "\u212a", "k"], ["é"]],
    ["\\Aab\\z", ["ab"], ["Aabz"]],
    ["\\Qa.b\\E+", ["a.b", "a.bb"], ["axb", "a.ba.b"]],
    ["\\Q*", ["*"], []],
    ["[[:alpha:]_]+", ["ab_"], ["a1", ":"]],
    ["[[:^digit:]x]", ["a", "😀"], ["1"]],
    ["[]a]+", ["]a"], ["b"]],
    ["[a\\]-]+", ["a]-"], ["\\"]],
    ["[^😀]", ["😁", "a", "𝒳", "\u{10ffff}"], ["😀", "\ud83d"]],
    ["[😀-😃a]{2}", ["😀😃", "a😁"], ["😄a", "😀"]],
    ["[^\\x{10000}-\\x{103ff}]+", ["\u{10400}\ufffd"], ["\u{10000}", "\u{103ff}"]],
    ["[\\x{ffff}-\\x{1f600}]", ["\uffff", "😀", "\u{12345}"], ["\ufffe", "😁"]],
    ["[😀é]+", ["😀é😀"], ["\ud83d", "e"]],
    ["(?P<id>\\d+)/(?<name>\\w+)", ["1/a"], ["a/1"]],
    ["a{,2}", ["a{,2}"], ["aa", ""]],
    ["\\x41\\x{1F600}\\101\\0", ["A😀A\0"], ["A"]],
    ["\\a\\f\\v", ["\x07\f\v"], ["afv"]],
    ["a|ab|", ["a", "ab", ""], ["b"]],
    ["^a$", ["a"], ["a\n"]],
    ["(?:^a)*b", ["ab", "b"], ["aab"]],
    ["a\\b.*", ["a", "a b"], ["ab"]],
    ["(a+)+", ["a".repeat(50)], [`${"a".repeat(50)}!`]],
    ["(?U)a+?", ["aa"], ["b"]],
  ];

const REFUSED: Readonly<Record<string, RegExp>> = {
  "(": /missing closing \)/,
  ")": /unexpected \), at character 1/,
  "[a": /missing closing ]/,
  "(?=a)": /RE2 has no lookahead or lookbehind/,
  "(?<!a)": /RE2 has no lookahead or lookbehind/,
  "(?>a)": /no such group/,
  "(?#x)": /no such group/,
  "a++": /no possessive quantifiers/,
  "a**": /a repeat of a repeat/,
  "*a": /a repeat has nothing before it/,
  "(?i)*": /a repeat has nothing before it/,
  "a{1001}": /invalid repeat count/,
  "a{2,1}": /invalid repeat count/,
  "(a{1000}){1000}": /too large/,
  "(a)\\1": /no backreferences/,
  "\\pL": /Unicode classes are not supported/,
  "\\Z": /write \\z/,
  "\\u0041": /write \\x/,
  "\\C": /single bytes/,
  "\\": /backslash/,
  "(?m)^a": /flag m is not supported/,
  "(?x)a": /unknown flag x/,
  "(?i)é": /write both cases/,
  "(?i)[à-ÿ]": /write both cases/,
  "[b-a]": /out of order/,
  "[a-\\d]": /no end of a range/,
  "[[:letter:]]": /there is no class \[:letter:]/,
  "\\x{110000}": /no such character/,
  "\\x{d800}": /no such character/,
};

describe("a pattern of RE2", () => {
  for (const [pattern, matching, others] of CASES)
    it(`${pattern} matches as RE2 does`, () => {
      const result = compileRe2(pattern);
      assert.ok(result.ok, result.ok ? "" : result.message);
      assert.equal(result.regex.source, pattern);
      for (const text of matching) assert.equal(result.regex.matches(text), true, JSON.stringify(text));
      for (const text of others) assert.equal(result.regex.matches(text), false, JSON.stringify(text));
    });

  it("is refused when it is none, or is not supported, with the reason", () => {
    for (const [pattern, reason] of Object.entries(REFUSED)) {
      const result = compileRe2(pattern);
      assert.ok(!result.ok, pattern);
      assert.match(result.message, reason, pattern);
    }
    const deep = compileRe2("(".repeat(5_000) + ")".repeat(5_000));
    assert.ok(!deep.ok && /nests too deeply/.test(deep.message));
  });
});
