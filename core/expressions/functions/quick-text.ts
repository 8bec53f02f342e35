// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { builtinOf } from "../reference-functions.ts";
import type { Guard } from "../runtime/guard.ts";

/** Functions of texts for values that are known to be texts. JSONata counts characters as code points. */

const SURROGATES = /[\ud800-\udfff]/;

export function lengthOf(text: string): number {
  return SURROGATES.test(text) ? Array.from(text).length : text.length;
}

export function substringOf(text: string, start: number, length?: number): string {
  if (SURROGATES.test(text)) return SUBSTRING(text, start, length);
  const from = text.length + start < 0 ? 0 : start;
  if (length === undefined) return text.slice(from);
  if (length <= 0) return "";
  return text.slice(from, from >= 0 ? from + length : text.length + from + length);
}

export const trimOf = builtinOf("trim")?.implementation as (text: string) => string;

const SUBSTRING = builtinOf("substring")?.implementation as (
  text: string,
  start: number,
  length?: number,
) => string;

/** Counts a search of `text`; gives true, so that it can stand in a condition. */
export function searched(guard: Guard, text: string): true {
  guard.tick(1 + text.length / CHARACTERS_PER_STEP);
  return true;
}

const CHARACTERS_PER_STEP = 1;
