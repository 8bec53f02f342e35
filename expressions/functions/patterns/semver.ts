// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import semver from "semver";
import { cached } from "./compiled-cache.ts";
import { functionError, quoted } from "../error-codes.ts";
import type { FunctionDefinition } from "../definition.ts";

/** Longest range, in UTF-16 units; the package limits versions to as many. */
const MAX_RANGE_LENGTH = 256;

type Text = string | undefined;

const rangeOf = cached((text): semver.Range => {
  try {
    if (text.length <= MAX_RANGE_LENGTH) return new semver.Range(text);
  } catch {
    // A malformed range is refused below, like a range that is too long.
  }
  throw functionError("D4006", `$semver: ${quoted(text)} is no range of versions`);
});

function satisfies(version: string, range: semver.Range): boolean {
  const parsed = semver.parse(version);
  return parsed !== null && range.test(parsed);
}

function semverIn(version: Text, range: Text): boolean | undefined {
  return version === undefined || range === undefined ? undefined : satisfies(version, rangeOf(range));
}

function semverCompare(a: Text, b: Text): number | undefined {
  const [first, second] = [semver.parse(a), semver.parse(b)];
  return first === null || second === null ? undefined : first.compare(second);
}

export const SEMVER_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "semver",
    signature: "<s-s:b>",
    cost: "measured",
    implementation: semverIn,
    docs: {
      summary:
        "Whether a semantic version is in a range, as npm writes ranges: `^1.2.3`, `~2.0`, `>=1.0.0 <3.0.0 || 5.x`. A pre-release is only in a range that names one of the same version. What is no version is in no range.",
      parameters: ["version", "range"],
      examples: [
        { expression: '$semver("1.4.0", "^1.2.3")', result: true },
        { expression: '$semver("2.0.0-rc.1", ">=1.0.0")', result: false },
      ],
    },
    prepare([range, ...more]) {
      if (more.length > 0 || typeof range !== "string") return undefined;
      const compiled = rangeOf(range);
      return (version: Text) => (version === undefined ? undefined : satisfies(version, compiled));
    },
  },
  {
    name: "semverCompare",
    signature: "<ss:n>",
    cost: "measured",
    implementation: semverCompare,
    docs: {
      summary:
        "-1, 0 or 1 as the first semantic version is before, equal to or after the second; no value when one is malformed.",
      parameters: ["a", "b"],
      examples: [
        { expression: '$semverCompare("1.10.0", "1.9.3")', result: 1 },
        { expression: '$semverCompare("1.0.0-beta", "1.0.0") < 0', result: true },
      ],
    },
  },
];
