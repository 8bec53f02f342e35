// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileReplacement } from "./re2-replacement.ts";
import { StepBudget } from "./regex/meter.ts";

/** The results are those of Go's package regexp, which is RE2 by the same author. */
const CASES: readonly (readonly [pattern: string, substitution: string, text: string, result: string])[] = [
  ["^/user/([^/]+)/(.*)$", "/\\2/of/\\1", "/user/ada/books/1", "/books/1/of/ada"],
  ["/+", "/", "/a//b///c", "/a/b/c"],
  ["a", "", "/banana", "/bnn"],
  ["", "-", "/ab", "-/-a-b-"],
  ["a*", "x", "/baac", "x/xbxcx"],
  ["a*?", "x", "/baac", "x/xbxaxaxcx"],
  ["(a|ab)(c|bcd)?", "[\\1,\\2]", "/abcd/ab", "/[a,bcd]/[a,]b"],
  ["(a+?)(a*)", "<\\1|\\2>", "/aaa", "/<a|aa>"],
  ["(?i)/ADMIN", "/x", "/aDmin/admin", "/x/x"],
  ["^", "/v1", "/a", "/v1/a"],
  ["$", "/end", "/a", "/a/end"],
  ["\\b", "|", "/a-b", "/|a|-|b|"],
  ["(a)?b", "[\\1]", "/bab", "/[][a]"],
  ["([a-z])+", "\\1", "/abc/d", "/c/d"],
  ["(?P<x>a)(?:b)(c)", "\\2\\1\\0", "/abc", "/caabc"],
  ["x(y)", "z", "/abc", "/abc"],
  ["^/", "//", "/a/b", "//a/b"],
  ["[^a-c]", "_", "/abxc", "_ab_c"],
  ["a{2,3}", "x", "/aaaaa", "/xx"],
  ["a{2,3}?", "x", "/aaaaa", "/xxa"],
];

function replaced(pattern: string, substitution: string, text: string, maxChars = 1_000) {
  const compiled = compileReplacement(pattern, substitution);
  assert.ok(compiled.ok, pattern);
  return compiled.replacement.replaceAll(text, maxChars);
}

describe("replacements by RE2", () => {
  for (const [pattern, substitution, text, result] of CASES)
    it(`of ${pattern} by ${substitution} in ${text}`, () => {
      assert.equal(replaced(pattern, substitution, text), result);
    });

  it("have no special meaning for dollars, and take a backslash by two", () => {
    assert.equal(replaced("a", "$1$&", "/a"), "/$1$&");
    assert.equal(replaced("a", "\\\\1", "/a"), "/\\1");
  });

  it("stop when the result is too long", () => {
    assert.equal(replaced("", "x".repeat(1_000), "a".repeat(1_000), 60_000), undefined);
    assert.equal(replaced("b", "x", "a".repeat(101), 100), undefined);
    assert.equal(replaced("b", "x", "a".repeat(100), 100)?.length, 100);
  });

  it("are charged for their work, so that no text takes long", () => {
    for (const pattern of ["(\\w{1,30}\\s?){1,20}x", "a.*b.*c.*d", "[^b]*b", "(a|aa)+$"]) {
      const compiled = compileReplacement(pattern, "");
      assert.ok(compiled.ok);
      const budget = new StepBudget(300_000, () => new Error("too long"));
      const start = performance.now();
      try {
        compiled.replacement.replaceAll("a".repeat(60_000), 60_000, budget);
      } catch (error) {
        assert.match(String(error), /too long/);
      }
      assert.ok(performance.now() - start < 300, pattern);
    }
  });
});
