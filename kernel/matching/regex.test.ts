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
  it("distinguishes a match of a part from a match of the whole text", () => {
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

  it("refuses constructs that automata cannot run, and says why", () => {
    assert.match(fault("(a+)\\1"), /^backreferences are supported only where/);
    assert.match(fault("(?=.*a)"), /^lookahead and lookbehind are supported only where/);
    assert.match(fault("(?<!a+)b"), /^lookahead and lookbehind are supported only where/);
    assert.match(fault("a("), /missing closing \)/);
    assert.match(fault("(?:".repeat(2_400) + ")".repeat(2_400)), /nests too deeply/);
    assert.match(fault("(".repeat(50_000) + ")".repeat(50_000)), /longer than 10000 characters/);
    assert.match(fault("(a{1000}){1000}"), /too large, with its repeat counts written out/);
  });

  it("finds from an offset; groups that took no part are undefined", () => {
    const found = regex("(a)|(b)").find("xxab", 3);
    assert.equal(found?.index, 3);
    assert.deepEqual([...found.groups], ["b", undefined, "b"]);
    assert.equal(regex("a").find("a", 1), null);
    assert.equal(regex("a*").find("a", 2), null);
    assert.deepEqual(regex("^a").find("aa", 1), null);
  });

  it("runs lookaround and backreferences where linear time is proven", () => {
    assert.equal(regex("^(?=.*\\d)(?=.*[a-z]).{4,}$").test("abc1"), true);
    assert.equal(regex("^(?=.*\\d)(?=.*[a-z]).{4,}$").test("abcd"), false);
    assert.equal(regex("(?<!a)b").find("abb", 0)?.index, 2);
    assert.equal(regex("^([\"'])(.*?)\\1$").matches("'it'"), true);
    assert.equal(regex("^([\"'])(.*?)\\1$").matches("'it\""), false);
  });

  it("reports its engine and its literal prefix", () => {
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

  it("has JavaScript's meaning where other engines differ", () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ["^\\s+|\\s+$", "\u00a0x", true],
      ["\\s+$", "5\u3000", true],
      ["[a-\\d]x", "-x", true],
      ["\\Aab\\z", "ab", false],
      ["\\Aab\\z", "Aabz", true],
      ["\\Qa.b\\E", "a.b", false],
      ["^[[:alpha:]]+$", "a]", true],
      ["^\\p{L}+$", "p{LL", false],
      ["^\\p{L}+$", "p{L}", true],
      ["^.$", "😀", false],
      ["(?:^|a+)*😀$", "😀", true],
      ["^a{,5}$", "a{,5}", true],
    ];
    for (const [pattern, text, expected] of cases) assert.equal(regex(pattern).test(text), expected, pattern);
    assert.equal(regex("(?:s|x)+s*$", "i").test("\u017f"), false);
    assert.equal(regex(".*foo").find("x\rfoo", 0)?.index, 2);
    assert.equal(regex("^.+$", "m").find("l1\u2028l2", 0)?.groups[0], "l1");
    assert.deepEqual(regex("(a*)*b").find("b", 0)?.groups, ["b", undefined]);
  });

  /** Patterns that take a machine much work per character, with texts that keep it busy. */
  const COSTLY: readonly (readonly [pattern: string, text: string])[] = [
    ["(\\w{1,30}\\s?){1,20}$", `${"lorem ipsum dolor sit amet ".repeat(2_200)}!`],
    ["(\\w{1,30}\\s?){1,20}$", "x".repeat(58_000)],
    ["(.*a){20}", "a".repeat(60_000)],
    ["(a{0,30}){30}$", "a".repeat(64_000)],
    ["(?:a?){1,60}b|(?:(a|b|.)+?c){9}$", "ab".repeat(30_000)],
    ["((((a*)*b*)*c*)*d*)*x", "abcd".repeat(15_000)],
    ["(?:a|b)*a.{14}x", "abbabaabbaababbabaababbaabbabaab".repeat(2_000)],
    ["[ab]{10}c", "ab".repeat(30_000)],
    ["(a|b)(c|d)?(e|f)?(g|h)?(?:.*!)?.*$.*", "a".repeat(60_000)],
  ];

  /** Runs until `limit` steps are exceeded; returns the steps charged and the time taken. */
  function metered(
    pattern: string,
    text: string,
    method: "test" | "matches" | "find",
    limit: number,
  ): { readonly steps: number; readonly timeMs: number } {
    const compiled = regex(pattern);
    let steps = 0;
    const meter = {
      tick(more: number): void {
        assert.ok(more > 0);
        steps += more;
        if (steps > limit) throw new Error("enough");
      },
    };
    const started = performance.now();
    try {
      if (method === "find") compiled.find(text, 0, meter);
      else compiled[method](text, meter);
    } catch (error: unknown) {
      if (steps <= limit) throw error;
    }
    return { steps, timeMs: performance.now() - started };
  }

  it("charges the meter while it works, in proportion to the work", () => {
    let ended = 0;
    for (const [pattern, text] of COSTLY) {
      for (const method of ["test", "matches", "find"] as const) {
        const { steps } = metered(pattern, text, method, 1_000_000);
        assert.ok(steps >= 1, `${pattern} ${method}`);
        if (steps <= 1_000_000) continue;
        ended++;
        // The meter must be charged early, not when all work is done.
        assert.ok(steps < 1_020_000, `${pattern} ${method}: ${steps}`);
      }
    }
    assert.ok(ended >= 3);
  });

  it("takes no longer for a charged step than expressions do", () => {
    for (const [pattern, text] of COSTLY) {
      for (const method of ["test", "matches", "find"] as const) {
        // Best of three runs, as other processes may take the CPU for a while.
        const times = [1, 2, 3].map(() => {
          const { steps, timeMs } = metered(pattern, text, method, 300_000);
          // The first 30 ms go to compiling code and filling tables.
          return ((timeMs - 30) * 1e6) / steps;
        });
        assert.ok(Math.min(...times) < 1_000, `${pattern} ${method}: ${times.join(", ")} ns`);
      }
    }
  });

  it("keeps no state from one call to the next", () => {
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

  it("agrees with JavaScript on patterns that both support", () => {
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
