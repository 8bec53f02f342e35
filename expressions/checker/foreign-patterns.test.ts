// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mergeManifests } from "../manifest/manifest.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { checkExpression } from "./check-expression.ts";

const { manifest } = mergeManifests([
  { attributes: { "request.path": { type: "STRING", optional: false } } },
]);

/** The findings for an expression: code, severity, the part at fault, and the suggestion. */
function findingsIn(source: string): readonly string[] {
  const result = compileWithJsonata(source);
  if (!result.ok) return [`${result.fault.offset}: ${result.fault.message}`];
  const use = { purpose: "deny", phase: "request", cached: true, manifest } as const;
  return checkExpression(result.expression, use).map(
    ({ code, severity, start, end, suggestion }) =>
      `${code} ${severity} ${source.slice(start, end)} → ${suggestion ?? "?"}`,
  );
}

describe("patterns of other languages in an expression", () => {
  const WARNED: Readonly<Record<string, readonly string[]>> = {
    "$contains(request.path, /\\A\\/admin\\z/)": [
      "PURSER_EXPR_PATTERN warning \\A → ^",
      "PURSER_EXPR_PATTERN warning \\z → $",
    ],
    "$contains(request.path, /x[/]y\\z/i)": ["PURSER_EXPR_PATTERN warning \\z → $"],
    '$replace(request.path, /[[:alpha:]]+$/, "") = "/"': ["PURSER_EXPR_PATTERN warning [:alpha:] → A-Za-z"],
    "$contains(request.path, /^\\/v1\\/[^\\/]+$/)": [],
  };
  for (const [source, expected] of Object.entries(WARNED))
    it(`${source} is warned of`, () => assert.deepEqual(findingsIn(source), expected));

  const REFUSED: Readonly<Record<string, RegExp>> = {
    "$contains(request.path, /(?i)admin/)":
      /^25: \(\?i\) sets flags .* write flag i behind the pattern: \/…\/i$/,
    "$contains(request.path, /^a++b/)": /^27: \+\+ is a possessive repeat.* write \+$/,
    "$contains(request.path, /(?P<n>a)/)": /^25: groups are named as in \(\?<n>…\)$/,
    "$contains(request.path, /a(/)": /^\d+: /,
  };
  for (const [source, expected] of Object.entries(REFUSED))
    it(`${source} is refused with what to write`, () => {
      const [only = "", ...more] = findingsIn(source);
      assert.match(only, expected);
      assert.deepEqual(more, []);
    });
});
