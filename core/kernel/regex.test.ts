// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { compileRegex, type Regex } from "./regex.ts";

function regex(pattern: string, flags?: string): Regex {
  const result = compileRegex(pattern, flags);
  assert.ok(result.ok, result.ok ? "" : result.message);
  return result.regex;
}

function fault(pattern: string, flags?: string): string {
  const result = compileRegex(pattern, flags);
  assert.ok(!result.ok);
  return result.message;
}

describe("a regular expression", () => {
  it("tells a match somewhere from a match of the whole text", () => {
    assert.equal(regex("b+").test("abbc"), true);
    assert.equal(regex("b+").matches("abbc"), false);
    assert.equal(regex("ab+c").matches("abbc"), true);
    assert.equal(regex("a|ab").matches("ab"), true);
  });

  it("honours i, m and s, and refuses flags it does not know", () => {
    assert.equal(regex("^B$", "im").test("a\nb\nc"), true);
    assert.equal(regex("^b$").test("a\nb\nc"), false);
    assert.equal(regex("a.b", "s").test("a\nb"), true);
    assert.match(fault("a", "y"), /unknown flag "y"/);
  });

  it("takes linear time where backtracking takes exponential time", () => {
    const started = performance.now();
    assert.equal(regex("^(a+)+$").test(`${"a".repeat(5_000)}!`), false);
    assert.ok(performance.now() - started < 1_000);
  });

  it("refuses what automata cannot do, and says why", () => {
    assert.match(fault("(a+)\\1"), /^backreferences are supported only where/);
    assert.match(fault("(?=.*a)"), /^lookahead and lookbehind are supported only where/);
    assert.match(fault("(?<!a+)b"), /^lookahead and lookbehind are supported only where/);
    assert.match(fault("a("), /missing closing \)/);
    assert.match(fault("(".repeat(50_000) + ")".repeat(50_000)), /nests too deeply/);
    assert.match(fault("(a{1000}){1000}"), /invalid repeat count/);
  });

  it("finds from an offset, with groups that took no part undefined", () => {
    const found = regex("(a)|(b)").find("xxab", 3);
    assert.equal(found?.index, 3);
    assert.deepEqual([...found.groups], ["b", undefined, "b"]);
    assert.equal(regex("a").find("a", 1), null);
    assert.equal(regex("a*").find("a", 2), null);
    assert.deepEqual(regex("^a").find("aa", 1), null);
  });

  it("runs lookaround and backreferences of which it is proven that they cannot stall", () => {
    assert.equal(regex("^(?=.*\\d)(?=.*[a-z]).{4,}$").test("abc1"), true);
    assert.equal(regex("^(?=.*\\d)(?=.*[a-z]).{4,}$").test("abcd"), false);
    assert.equal(regex("(?<!a)b").find("abb", 0)?.index, 2);
    assert.equal(regex("^([\"'])(.*?)\\1$").matches("'it'"), true);
    assert.equal(regex("^([\"'])(.*?)\\1$").matches("'it\""), false);
  });

  it("says what runs it, and what every match begins with", () => {
    const cases: readonly (readonly [string, string, Regex["engine"], string])[] = [
      ["^/api/v\\d+/.*", "", "native", "/api/v"],
      ["^/api\\.(?:v1/)+", "s", "native", "/api.v1/"],
      ["^(/a)(b)?c", "", "native", "/a"],
      ["^/a", "i", "native", ""],
      ["^/a", "m", "native", ""],
      ["^/a|^/b", "", "native", ""],
      ["^a?b", "", "native", ""],
      ["^(?:a|ab)c", "", "native", ""],
      ["/api", "", "native", ""],
      ["^/a.*b.*c", "", "linear", "/a"],
      ["\\s+$", "", "linear", ""],
    ];
    for (const [pattern, flags, engine, literalPrefix] of cases) {
      const compiled = regex(pattern, flags);
      assert.deepEqual([compiled.engine, compiled.literalPrefix], [engine, literalPrefix], pattern);
    }
  });

  it("keeps RE2's meaning of what JavaScript reads otherwise", () => {
    assert.equal(regex("[[:alpha:][]+").matches("x["), true);
    for (const pattern of ["[[:alpha:]]+", "\\pL+", "(?i)LETTERS", "\\Aletters\\z", "\\Qletters\\E"])
      assert.equal(regex(pattern).matches("letters"), true, pattern);
    assert.equal(regex("^.😀?$").matches("x😀"), true);
    assert.equal(regex("a{,5}").engine, "linear");
  });

  it("remembers nothing from one call to the next", () => {
    for (const flags of ["", "g", "m", "gm"]) {
      const compiled = regex("a|^b", flags);
      for (const _ of [1, 2]) {
        assert.equal(compiled.find("xa", 1)?.index, 1);
        assert.equal(compiled.find("ax", 1), null);
        assert.equal(compiled.find("ax", 3), null);
        assert.equal(compiled.test("xa"), true);
        assert.equal(compiled.matches("a"), true);
        assert.equal(compiled.matches("a\nb"), false);
      }
    }
  });

  it("agrees with JavaScript on patterns that both have", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "[^a]",
      "\\w",
      "\\d",
      "(a|b)",
      "(?:ab)",
      "^",
      "$",
      "\\b",
    );
    const repeat = fc.constantFrom("", "?", "*", "+", "{2}", "*?");
    const pattern = fc
      .array(fc.tuple(atom, repeat), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.map(([a, r]) => (/^[\^$]$|^\\b$/.test(a) ? a : a + r)).join(""));
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom("a", "b", "1", "-"), maxLength: 8 }),
        (source, text) => {
          const native = new RegExp(source).exec(text);
          const ours = regex(source).find(text, 0);
          assert.deepEqual(
            ours && [ours.index, ...ours.groups.slice(0, 1)],
            native && [native.index, native[0]],
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});
