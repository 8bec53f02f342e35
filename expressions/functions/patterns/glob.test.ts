// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { GLOB_FUNCTIONS } from "./glob.ts";

const glob = GLOB_FUNCTIONS[0]?.implementation as unknown as (text: string, pattern: string) => boolean;

/** Reference matcher for globs of literals, `*` and `**`: tries every way (backtracking). */
function naive(text: string, pattern: string): boolean {
  if (pattern === "") return text === "";
  if (!pattern.startsWith("*"))
    return text[0] === pattern[0] && text !== "" && naive(text.slice(1), pattern.slice(1));
  const double = pattern.startsWith("**");
  const rest = pattern.slice(double ? 2 : 1);
  for (let taken = 0; taken <= text.length; taken++) {
    if (!double && text.slice(0, taken).includes("/")) return false;
    if (naive(text.slice(taken), rest)) return true;
  }
  return false;
}

describe("$glob", () => {
  it("agrees with a matcher that tries every way", () => {
    const pattern = fc
      .array(fc.constantFrom("a", "b", "/", "*", "**", "a"), { maxLength: 7 })
      .map((parts) => parts.join(""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 8 });
    fc.assert(
      fc.property(text, pattern, (value, glued) => assert.equal(glob(value, glued), naive(value, glued))),
      { numRuns: 3000 },
    );
  });

  it("supports classes, alternatives and escapes", () => {
    assert.equal(glob("/v2/x", "/v[12]/?"), true);
    assert.equal(glob("/v3/x", "/v[12]/?"), false);
    assert.equal(glob("b.example.com", "{a,b*}.example.com"), true);
    assert.equal(glob("/search?q=1", "/search\\?q=*"), true);
    assert.equal(glob("/searchXq=1", "/search\\?q=*"), false);
    assert.equal(glob("a.c", "a.c"), true);
    assert.equal(glob("abc", "a.c"), false);
  });

  it("matches any characters, also newlines and lone surrogates", () => {
    assert.equal(glob("/a\n😀\ud800", "/a*"), true);
    assert.equal(glob("/a\nx/b/c", "/a*/b/**"), true);
  });

  it("takes linear time for adversarial patterns and texts", () => {
    const started = performance.now();
    assert.equal(glob("a".repeat(5_000), `${"*a".repeat(30)}*b`), false);
    assert.equal(glob("a/".repeat(2_500), `${"**a".repeat(30)}**b`), false);
    assert.ok(performance.now() - started < 5_000);
  });

  it("stops at the step limit for a text that keeps its automaton busy", () => {
    const text = Array.from({ length: 8_000 }, (_, index) =>
      (index * index * 7919) % 13 < 6 ? "a" : "b",
    ).join("");
    const times = [1, 2, 3].map(() => {
      const started = performance.now();
      assert.throws(() => glob(text, `*a${"?".repeat(900)}x*`), { code: "D2015" });
      return performance.now() - started;
    });
    assert.ok(Math.min(...times) < 200, `${times.join(", ")} ms`);
    assert.equal(glob("😀.example.com", "?.example.*"), true);
  });

  it("refuses malformed and too long globs", () => {
    for (const pattern of ["[a", "{a", "a\\", "[z-a]", "*".repeat(1025)])
      assert.throws(() => glob("a", pattern), { code: "D4002" }, pattern);
    assert.throws(() => glob("a".repeat(8193), "*a*a*"), { code: "D2015" });
    assert.equal(glob("a".repeat(65_537), "a*"), true);
  });
});
