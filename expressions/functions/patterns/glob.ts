// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { globToRegex } from "../../../kernel/matching/glob.ts";
import { compileRe2, type RegexResult } from "../../../kernel/matching/regex.ts";
import { StepBudget } from "../../../kernel/matching/regex/meter.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { tooLarge } from "../../errors/too-large.ts";
import { cached } from "./compiled-cache.ts";
import { functionError, quoted } from "../error-codes.ts";
import type { FunctionDefinition } from "../definition.ts";

/** Longest glob, in UTF-16 units. */
const MAX_GLOB_LENGTH = 1024;
/** Longest text for a glob with several wildcards, in UTF-16 units. The automaton takes linear time, and URLs are shorter. */
const MAX_TEXT_LENGTH = 8192;
/** Most steps of one match, some 50 ns each, 5 ms together. A common glob takes a few hundred. */
const MAX_STEPS = 100_000;
/** Shared by all matches: a match is synchronous, so no two overlap. */
const budget = new StepBudget(MAX_STEPS, () => tooLarge(`$glob of a text for more than ${MAX_STEPS} steps`));

interface Glob {
  matches(text: string): boolean;
}

const globOf = cached((pattern): Glob => {
  if (pattern.length > MAX_GLOB_LENGTH)
    throw functionError("D4002", `$glob: a pattern is longer than ${MAX_GLOB_LENGTH} characters`);
  return simpleGlob(pattern) ?? automaton(pattern);
});

/** Fast path: a glob with at most one wildcard compiles to startsWith and endsWith. */
function simpleGlob(pattern: string): Glob | undefined {
  const [, prefix = "", star, suffix = ""] = /^([^*?[\]{}\\]*)(\*\*?)?([^*?[\]{}\\]*)$/.exec(pattern) ?? [];
  if (star === undefined) return pattern === prefix ? { matches: (text) => text === pattern } : undefined;
  const least = prefix.length + suffix.length;
  return {
    matches: (text) =>
      text.length >= least &&
      text.startsWith(prefix) &&
      text.endsWith(suffix) &&
      (star === "**" || !text.slice(prefix.length, text.length - suffix.length).includes("/")),
  };
}

function automaton(pattern: string): Glob {
  const { regex } = regexOf(pattern);
  return {
    matches(text) {
      if (text.length > MAX_TEXT_LENGTH)
        throw tooLarge(`$glob of a text longer than ${MAX_TEXT_LENGTH} characters`);
      budget.start();
      return regex.matches(text, budget);
    },
  };
}

function regexOf(pattern: string): Extract<RegexResult, { ok: true }> {
  let reason: string;
  try {
    const result = compileRe2(globToRegex(pattern));
    if (result.ok) return result;
    reason = result.message;
  } catch (error: unknown) {
    reason = messageOf(error);
  }
  throw functionError("D4002", `$glob: ${quoted(pattern)} ${reason}`);
}

function glob(text: string | undefined, pattern: string | undefined): boolean | undefined {
  return text === undefined || pattern === undefined ? undefined : globOf(pattern).matches(text);
}

export const GLOB_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "glob",
    signature: "<s-s:b>",
    cost: "measured",
    implementation: glob,
    checks: { test: "glob", searches: true },
    docs: {
      summary:
        "Whether a whole text matches a glob: `*` any characters but `/`, `**` any characters, `?` one character but `/`, `[a-z]` and `[!a-z]` one of these characters or none of them, `{a,b}` either, `\\x` the character x itself.",
      parameters: ["text", "pattern"],
      examples: [
        { expression: '$glob("/v1/users", "/v1/*")', result: true },
        { expression: '$glob("/v1/users/7", "/v1/*")', result: false },
        { expression: '$glob("/v1/users/7", "/v{1,2}/**")', result: true },
      ],
    },
    prepare([pattern, ...more]) {
      if (more.length > 0 || typeof pattern !== "string") return undefined;
      const compiled = globOf(pattern);
      return (text: string | undefined) => (text === undefined ? undefined : compiled.matches(text));
    },
  },
];
