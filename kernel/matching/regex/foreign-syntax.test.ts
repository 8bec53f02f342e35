// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { foreignConstructs } from "./foreign-syntax.ts";

/** Replacement for each construct of a pattern; `?` where the author must choose. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  "\\Aab\\z": ["\\A → ^", "\\z → $"],
  "^\\Qa.b\\E$": ["\\Qa.b\\E → a\\.b"],
  "\\Qa.b": ["\\Qa.b → a\\.b"],
  "[[:alpha:]_]+": ["[:alpha:] → A-Za-z"],
  "[^[:^digit:]]": ["[:^digit:] → ?"],
  "\\p{L}\\PN\\p{Script=Greek}": ["\\p{L} → ?", "\\PN → ?", "\\p{Script=Greek} → ?"],
  "\\x{e9}[\\u{41}]": ["\\x{e9} → \\u00e9", "\\u{41} → \\u0041"],
  "a{,5}": ["{,5} → {0,5}"],
  "\\h[\\h]": ["\\h → [ \\t]", "\\h →  \\t"],
  "\\Z\\R\\a\\e\\G\\K\\X": [
    "\\Z → $",
    "\\R → (?:\\r\\n|\\n|\\r)",
    "\\a → \\x07",
    "\\e → \\x1b",
    "\\G → ?",
    "\\K → ?",
    "\\X → ?",
  ],
  "(?i)a": ["(?i) → ?"],
  "a(?s-i:b)": ["(?s-i: → ?"],
  "(?P<n>a)": ["(?P<n> → (?<n>"],
  "(?>a)(?#b)(?|c)(?P=n)": ["(?> → ?", "(?# → ?", "(?| → ?", "(?P= → ?"],
  "a*+b++c?+d{2,}+": ["*+ → *", "++ → +", "?+ → ?", "{2,}+ → {2,}"],
};

const OWN: readonly string[] = [
  "^/api/v\\d+/[^/]+$",
  "(?:a|b)(?<n>c)(?=d)(?!e)(?<=f)(?<!g)",
  "[*+][?+]\\++\\*+",
  "\\\\A\\\\z\\\\Q",
  "\\[:alpha:\\][:a-z]",
  "[(?i)]{2}a{2,5}\\x41\\u0041\\p\\x",
  "a{,}{",
  "[a{,5}]",
];

describe("a pattern in another dialect", () => {
  for (const [pattern, expected] of Object.entries(FOREIGN))
    it(`is reported in ${pattern}`, () => {
      const found = foreignConstructs(pattern);
      const written = found.map(
        ({ start, end, suggestion = "?" }) => `${pattern.slice(start, end)} → ${suggestion}`,
      );
      assert.deepEqual(written, expected);
      for (const { message } of found) assert.ok(message.length > 10);
      // The suggested pattern must be valid JavaScript.
      const mended = found.reduceRight(
        (text, { start, end, suggestion = "" }) => text.slice(0, start) + suggestion + text.slice(end),
        pattern,
      );
      assert.deepEqual(foreignConstructs(mended), []);
    });

  it("is not reported for JavaScript's own constructs", () => {
    for (const pattern of OWN) assert.deepEqual(foreignConstructs(pattern), [], pattern);
  });
});
