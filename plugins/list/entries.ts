// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  compileRe2,
  createAddressSet,
  globToRegex,
  isAddress,
  messageOf,
  parseBlock,
  type Regex,
} from "../sdk/index.ts";
import type { EntryType } from "./config.ts";

/** Tells whether a value is on a list. */
export interface Matcher {
  has(value: string): boolean;
}

/** A matcher, or the faults of the entries. */
export type Compiled =
  | { readonly ok: true; readonly matcher: Matcher }
  | { readonly ok: false; readonly faults: readonly EntryFault[] };

interface EntryFault {
  /** Index of the entry, from 0. */
  readonly index: number;
  /** The entry and what is wrong with it. */
  readonly message: string;
}

/**
 * Longest value matched against patterns, as linear time is not free. Common limits on URLs and header values
 * are lower.
 */
const MAX_PATTERN_INPUT_LENGTH = 8192;

/** Fault of a value that no list of this type can contain; such a value is an error, not an absent entry. */
export function faultOfValue(type: EntryType, value: string): string | undefined {
  switch (type) {
    case "cidr":
      return isAddress(value) ? undefined : "the value is not an IP address";
    case "glob":
    case "regex":
      if (value.length <= MAX_PATTERN_INPUT_LENGTH) return undefined;
      return `the value is longer than ${MAX_PATTERN_INPUT_LENGTH} characters`;
    case "exact":
    case "case-insensitive":
      return undefined;
  }
}

export function compileEntries(type: EntryType, entries: readonly string[]): Compiled {
  switch (type) {
    case "exact":
      return { ok: true, matcher: new Set(entries) };
    case "case-insensitive": {
      const folded = new Set(entries.map((entry) => entry.toLowerCase()));
      return { ok: true, matcher: { has: (value) => folded.has(value.toLowerCase()) } };
    }
    case "cidr":
      return compileEach(entries, parseBlock, createAddressSet);
    case "glob":
      return compileEach(entries, (entry) => parsePattern(globToRegex(entry)), anyOf);
    case "regex":
      return compileEach(entries, parsePattern, anyOf);
  }
}

function parsePattern(source: string): Regex {
  const compiled = compileRe2(source);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.regex;
}

function anyOf(patterns: readonly Regex[]): Matcher {
  return { has: (value) => patterns.some((pattern) => pattern.matches(value)) };
}

/** Compiles each entry; an entry is faulty when `compile` throws. */
function compileEach<T>(
  entries: readonly string[],
  compile: (entry: string) => T,
  join: (compiled: readonly T[]) => Matcher,
): Compiled {
  const compiled: T[] = [];
  const faults: EntryFault[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      compiled.push(compile(entry));
    } catch (error) {
      faults.push({ index, message: `${JSON.stringify(entry)}: ${messageOf(error)}` });
    }
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, matcher: join(compiled) };
}
