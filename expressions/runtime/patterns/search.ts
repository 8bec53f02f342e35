// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Guard } from "../guard.ts";

/** JavaScript's own search takes as long as text × part at worst: with a part no longer than this, it is used. */
const SHORT_PART = 16;

/**
 * Where `part` is in `text` at or after `from`, as `indexOf` gives it, in a time that is linear in the text: a request may
 * bring both, and a search of 64 KiB for 16 KiB then takes half a second.
 */
export function indexIn(guard: Guard, text: string, part: string, from = 0): number {
  const length = text.length - from;
  if (part.length <= SHORT_PART || part.length >= length || length <= 4 * SHORT_PART) {
    guard.chars(length);
    return text.indexOf(part, from);
  }
  guard.tick((length + part.length) / 4);
  return searchLinearly(text, part, from);
}

/** Knuth, Morris, Pratt: Fast Pattern Matching in Strings (1977). */
function searchLinearly(text: string, part: string, from: number): number {
  const borders = bordersOf(part);
  let matched = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    while (matched > 0 && code !== part.charCodeAt(matched)) matched = borders[matched - 1] as number;
    if (code === part.charCodeAt(matched)) matched++;
    if (matched === part.length) return at - matched + 1;
  }
  return -1;
}

/** For each beginning of `part`, the length of its longest proper beginning that is its end as well. */
function bordersOf(part: string): Uint32Array {
  const borders = new Uint32Array(part.length);
  let length = 0;
  for (let at = 1; at < part.length; at++) {
    const code = part.charCodeAt(at);
    while (length > 0 && code !== part.charCodeAt(length)) length = borders[length - 1] as number;
    if (code === part.charCodeAt(length)) length++;
    borders[at] = length;
  }
  return borders;
}

/** The parts of a text between `separator`, `limit` of them at most, as `split` gives them. */
export function splitBy(guard: Guard, text: string, separator: string, limit = Infinity): string[] {
  if (separator.length <= SHORT_PART) {
    guard.chars(text.length);
    const parts = limit === Infinity ? text.split(separator) : text.split(separator, limit);
    guard.sequence(parts.length);
    return parts;
  }
  const parts: string[] = [];
  for (let from = 0; parts.length < limit; ) {
    const at = indexIn(guard, text, separator, from);
    parts.push(at < 0 ? text.slice(from) : text.slice(from, at));
    guard.sequence(parts.length);
    if (at < 0) break;
    from = at + separator.length;
  }
  return parts;
}
