// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RegExpParser } from "@eslint-community/regexpp";
import { matchStepsPerChar, searchStepsPerChar } from "./linear-proof.ts";

type Verdict = "both" | "matches" | "search" | "neither";

function verdict(pattern: string, flags = ""): Verdict {
  const parsed = new RegExpParser({ ecmaVersion: 2023, strict: true }).parsePattern(pattern);
  const search = searchStepsPerChar(parsed, flags) !== undefined;
  const matches = matchStepsPerChar(parsed, flags) !== undefined;
  if (search) return matches ? "both" : "search";
  return matches ? "matches" : "neither";
}

function check(cases: Readonly<Record<string, Verdict>>, flags = ""): void {
  for (const [pattern, expected] of Object.entries(cases))
    assert.equal(verdict(pattern, flags), expected, pattern);
}

describe("the proof that backtracking takes linear time", () => {
  it("fails for the classics of catastrophic backtracking, anchored or not", () => {
    check({
      "(a+)+$": "neither",
      "^(a+)+$": "neither",
      "(a|a)*$": "neither",
      "^(a|aa)+$": "neither",
      "^(a|b|ab)*c": "neither",
      "(.*)*x": "neither",
      "^(.*)*x": "neither",
      "(x+x+)+y": "neither",
      "^(([a-z])+.)+[A-Z]([a-z])+$": "neither",
      "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$":
        "neither",
      "^(a?){30}a{30}$": "neither",
      "^(?:(?:a|b)?){30}c$": "neither",
      "^(\\w|\\d)*$": "neither",
    });
  });

  it("fails for quadratic time", () => {
    check({
      "^\\d+\\d+$": "neither",
      "^a*b?a*$": "neither",
      "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$": "neither",
      "^.*foo.*bar": "neither",
      "^(?:a.*)+$": "neither",
      "^(?=(?:.*a.*b))": "neither",
      "^(?:.(?=.*a))*$": "neither",
      "^(?:a|.(?!.*b))*$": "neither",
    });
  });

  it("fails for a search that many places begin and none finishes", () => {
    check({
      "a+b": "matches",
      "\\s+$": "matches",
      ".*x": "matches",
      "a[^b]*b": "matches",
      "[a-z]+:": "matches",
      "(?:^|,)\\s*a": "matches",
      "^\\s+|\\s+$": "matches",
      "(?=.*a)": "matches",
    });
    check({ "^a+b": "matches" }, "m");
    check({ "^a+b": "both" });
  });

  it("holds where one path at a time goes on", () => {
    check({
      "": "both",
      "[]": "both",
      "^/api/v\\d+/.*": "both",
      "^[a-z]+://[^/]+/[^?]*$": "both",
      "^(\\w+\\.)*\\w+$": "both",
      "^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$": "both",
      "^.*\\.example\\.com$": "both",
      "curl|wget|bot|spider": "both",
      "\\bfoo\\b": "both",
      "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}": "both",
      "\\d{1,3}(?:\\.\\d{1,3}){3}": "both",
      "/api/.*": "both",
    });
  });

  it("holds where starts cannot overlap", () => {
    check({ '"[^"]*"': "both", "Mozilla/\\d+\\.\\d+": "both", "\\$\\{\\w+\\}": "both" });
  });

  it("lets a loop end a search, as it cannot fail there, and not a match", () => {
    check({
      "^/a.*/b.*": "search",
      "^/a.*/b(?:c|(.*))": "search",
      "^/a.*/b.*$": "neither",
      "^/a.*/b(.*)x": "neither",
      "^(?:.*b.*)*": "neither",
      "^(?=.*b.*)a": "neither",
    });
  });

  it("knows that case and flags change what characters a set has", () => {
    check({ "^a*A*$": "both", "^\\u017f*\\u212a*$": "both", "^a*[^A]*$": "neither" });
    check({ "^a*A*$": "neither", "^\\u017f*\\u212a*$": "both", "^a*[^A]*$": "both" }, "i");
    check({ "^\\u01c4*\\u01c6*$": "neither", "^\\u01c4*[^\\u01c6]*$": "both" }, "i");
    check({ "^.*\\n+$": "both" });
    check({ "^.*\\n+$": "neither" }, "s");
  });

  it("fails for what it does not understand, or is too large for it", () => {
    check({
      "^(a*)*": "neither",
      "^(?:a?)+": "neither",
      "^(?:\\b)*": "neither",
      "^(a+)\\1": "neither",
      "^(?:(a)\\2(b)\\1)+": "neither",
      "(?<!a+)b": "neither",
      "^a{301}": "neither",
      "^(?:){1000000}": "neither",
      "^(?:|){11}a": "neither",
      "^(?:(a)|(b)|(c))*b": "neither",
      "^(?:ab??c??d??e??f??g??)*h": "neither",
    });
  });

  it("covers lookaround and backreferences that are bounded", () => {
    check({
      "^(?=.*\\d)(?=.*[a-z]).{8,}$": "both",
      "(?<=a|bc)d(?!e)": "both",
      "^([\"'])(.*?)\\1$": "both",
      "(ab?)\\1": "both",
    });
  });
});
