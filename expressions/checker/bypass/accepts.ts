// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { globToRegex } from "../../../kernel/matching/glob.ts";
import { compileRegex } from "../../../kernel/matching/regex.ts";
import { parsePathTemplate } from "../../functions/patterns/path-template.ts";
import { waysOf } from "../patterns.ts";
import type { TextTest } from "../inference/text-tests.ts";

/** Whether a test is true of `value`; false when the test's constants are not known. */
export function accepts({ manner, constants }: TextTest, value: string): boolean {
  return constants.some(({ shape: { constant, pattern } }) => {
    if (pattern !== undefined) return matches(pattern.source, pattern.flags, value);
    if (typeof constant !== "string") return false;
    switch (manner) {
      case "equal":
        return value === constant;
      case "start":
        return value.startsWith(constant);
      case "end":
        return value.endsWith(constant);
      case "part":
        return value.includes(constant);
      case "glob":
        return matches(`^(?:${globToRegex(constant)})$`, "", value);
      case "template":
        return parsePathTemplate(constant).match(value) !== undefined;
      default:
        return false;
    }
  });
}

function matches(source: string, flags: string, value: string): boolean {
  const result = compileRegex(source, flags);
  return result.ok && result.regex.test(value);
}

/** The texts that a test names in full and is true of: `= "/a"`, `in ["/a"]`, `/^\/a$/`. */
export function namedBy({ manner, constants }: TextTest): readonly string[] {
  return constants.flatMap(({ shape: { constant, pattern } }) => {
    if (manner === "equal") return typeof constant === "string" ? [constant] : [];
    const ways = pattern === undefined ? [] : (waysOf(pattern) ?? []);
    return ways.flatMap(({ anchored, plain, runs }) => {
      const [run] = runs;
      return anchored.start && anchored.end && plain && run !== undefined ? [run.text] : [];
    });
  });
}
