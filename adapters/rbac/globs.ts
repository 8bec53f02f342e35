// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRe2, globToRegex, type Regex } from "../../plugins/sdk/index.ts";

/** Tells whether a text matches one of several globs. */
export type TextMatcher = (text: string) => boolean;

/**
 * Longest text that matches any glob, in characters: linear time is not free. Common limits on URLs and header values are lower.
 */
export const MAX_TEXT_LENGTH = 8192;

/** Characters with a meaning in globs. */
const SPECIAL = /[*?[\]{}\\]/;

/**
 * Compiles globs: texts without wildcards to one set, the others to regular expressions.
 *
 * @param refuse Called for each invalid glob with its index and what is wrong; the matcher ignores that glob.
 */
export function compileGlobs(
  globs: readonly string[],
  refuse: (index: number, message: string) => void,
): TextMatcher {
  const literals = new Set<string>();
  const patterns: Regex[] = [];
  for (const [index, glob] of globs.entries()) {
    if (!SPECIAL.test(glob)) {
      literals.add(glob);
      continue;
    }
    const compiled = compileGlob(glob);
    if (typeof compiled === "string") refuse(index, `"${glob}" ${compiled}`);
    else patterns.push(compiled);
  }
  return (text) =>
    text.length <= MAX_TEXT_LENGTH &&
    (literals.has(text) || patterns.some((pattern) => pattern.matches(text)));
}

/** The pattern, or what is wrong with the glob. */
function compileGlob(glob: string): Regex | string {
  try {
    const compiled = compileRe2(globToRegex(glob));
    return compiled.ok ? compiled.regex : `is not a glob: ${compiled.message}`;
  } catch (error) {
    return (error as Error).message;
  }
}
