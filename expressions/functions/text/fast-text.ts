// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { builtinOf } from "../../runtime/calls/jsonata-functions.ts";
import type { Guard } from "../../runtime/guard.ts";
import { FAST_LENGTH } from "../fast-path.ts";
import { indexIn, splitBy } from "../../runtime/patterns/search.ts";

/**
 * The work of text functions for arguments that are known to be texts. JSONata counts characters as code points. These
 * functions charge nothing: texts longer than FAST_LENGTH are left to the call, which charges for them.
 */

const SURROGATES = /[\ud800-\udfff]/;

/** Longest text whose characters are looked at one by one, in UTF-16 units: for longer ones a regular expression is faster. */
const SHORT_CHARS = 32;

/** Whether `text` has no surrogates before `end`; false for an `end` beyond SHORT_CHARS, without looking. */
function isPlainUntil(text: string, end: number): boolean {
  const until = Math.min(end, text.length);
  if (!(until <= SHORT_CHARS)) return false;
  for (let at = 0; at < until; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0xd800 && code <= 0xdfff) return false;
  }
  return true;
}

export function lengthOf(text: string): number {
  return SURROGATES.test(text) ? Array.from(text).length : text.length;
}

export function substringOf(text: string, start: number, length?: number): string {
  // Surrogates after the part do not change its offsets.
  if (start >= 0 && length !== undefined && length > 0 && isPlainUntil(text, start + length))
    return text.slice(start, start + length);
  if (SURROGATES.test(text)) return SUBSTRING(text, start, length);
  const from = text.length + start < 0 ? 0 : start;
  if (length === undefined) return text.slice(from);
  if (length <= 0) return "";
  return text.slice(from, from >= 0 ? from + length : text.length + from + length);
}

/** White space that $trim removes or folds: at an end, in a run, or other than a space. */
const UNTRIMMED = /^ | $|  |[\t\n\r]/;

export function trimOf(text: string): string {
  return UNTRIMMED.test(text) ? TRIM(text) : text;
}

const TRIM = builtinOf("trim")?.implementation as (text: string) => string;

export function beforeOf(text: string, part: string): string | undefined {
  if (text.length > FAST_LENGTH) return undefined;
  const at = text.indexOf(part);
  return at < 0 ? text : text.slice(0, at);
}

export function afterOf(text: string, part: string): string | undefined {
  if (text.length > FAST_LENGTH) return undefined;
  const at = text.indexOf(part);
  return at < 0 ? text : text.slice(at + part.length);
}

/** $replace of a text by a text; undefined when `part` occurs more than once or an argument exceeds a limit. */
export function replacedOf(guard: Guard, text: string, part: string, by: string): string | undefined {
  if (part === "" || text.length > FAST_LENGTH) return undefined;
  const first = text.indexOf(part);
  if (first < 0) return text;
  const next = text.indexOf(part, first + part.length);
  const result = text.slice(0, first) + by + text.slice(first + part.length);
  return next < 0 && result.length <= guard.maxWeight ? result : undefined;
}

/** $join of a list of texts; undefined for a list with other items, or a result beyond a limit. */
export function joinedOf(guard: Guard, items: readonly unknown[], separator: string): string | undefined {
  let text = "";
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    if (typeof item !== "string") return undefined;
    text = index === 0 ? item : text + separator + item;
    if (text.length > FAST_LENGTH) return undefined;
  }
  return text.length <= guard.maxWeight ? text : undefined;
}

export function partsOf(guard: Guard, text: string, separator: string): string[] {
  if (text.length > FAST_LENGTH) return splitBy(guard, text, separator);
  const parts = text.split(separator);
  guard.sequence(parts.length);
  return parts;
}

/** The part with the number `position`, from 0; undefined when there are fewer parts. */
export function partAt(guard: Guard, text: string, separator: string, position: number): string | undefined {
  if (separator === "") return text[position];
  let from = 0;
  for (let index = 0; index < position; index++) {
    const at = search(guard, text, separator, from);
    if (at < 0) return undefined;
    from = at + separator.length;
  }
  const end = search(guard, text, separator, from);
  return end < 0 ? text.slice(from) : text.slice(from, end);
}

/** Whether `text` contains `part`. */
export function holdsText(guard: Guard, text: string, part: string): boolean {
  return search(guard, text, part, 0) >= 0;
}

function search(guard: Guard, text: string, part: string, from: number): number {
  return text.length <= FAST_LENGTH ? text.indexOf(part, from) : indexIn(guard, text, part, from);
}

const SUBSTRING = builtinOf("substring")?.implementation as (
  text: string,
  start: number,
  length?: number,
) => string;
