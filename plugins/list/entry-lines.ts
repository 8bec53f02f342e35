// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EntryType } from "./config.ts";
import { compileEntries, type Matcher } from "./entries.ts";

/** Most bad lines that are named. */
const MAX_FAULTS_SHOWN = 5;

/** The entries of a text, or its bad lines. */
export type ReadEntries =
  | { readonly ok: true; readonly matcher: Matcher; readonly count: number }
  | {
      readonly ok: false;
      /** The first bad lines, with their numbers. */
      readonly faults: readonly string[];
      readonly faultCount: number;
    };

/** @param maxEntries A text with more entries is refused. Default: no bound. */
export function readEntries(
  type: EntryType,
  text: string,
  maxEntries = Number.POSITIVE_INFINITY,
): ReadEntries {
  const lines = parseLines(text);
  if (lines.length > maxEntries)
    return { ok: false, faults: [`${lines.length} entries, more than ${maxEntries}`], faultCount: 1 };
  const compiled = compileEntries(
    type,
    lines.map((line) => line.entry),
  );
  if (compiled.ok) return { ok: true, matcher: compiled.matcher, count: lines.length };
  const shown = compiled.faults.slice(0, MAX_FAULTS_SHOWN);
  return {
    ok: false,
    faults: shown.map(({ index, message }) => `line ${lines[index]?.number}: ${message}`),
    faultCount: compiled.faults.length,
  };
}

/**
 * One entry per line, without blank lines and lines that begin with #. A # elsewhere is part of its entry.
 */
function parseLines(text: string): readonly { readonly number: number; readonly entry: string }[] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, entry: line.trim() }))
    .filter(({ entry }) => entry !== "" && !entry.startsWith("#"));
}
