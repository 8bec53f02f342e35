// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { toJson } from "../../plugins/sdk/index.ts";

/** Text within the limits of Google's services, which refuse longer text and text that is not Unicode. */

/** A text that was cut, with the number of bytes (UTF-8) that it lost. */
export interface CutText {
  readonly text: string;
  readonly lostBytes: number;
}

/** At most `max` Unicode characters of a text. Surrogate pairs stay whole; lone surrogates become U+FFFD. */
export function cutCharacters(text: string, max: number): string {
  if (text.length <= max) return wellFormed(text);
  let end = 0;
  for (let characters = 0; characters < max && end < text.length; characters++) {
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
  }
  return wellFormed(text.slice(0, end));
}

/** At most `max` bytes of a text's UTF-8. Characters stay whole; lone surrogates become U+FFFD. */
export function cutBytes(text: string, max: number): CutText {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 <= max) return { text: wellFormed(text), lostBytes: 0 };
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= max) return { text: bytes.toString("utf8"), lostBytes: 0 };
  let end = max;
  // 0b10xxxxxx continues a character.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return { text: bytes.toString("utf8", 0, end), lostBytes: bytes.length - end };
}

/** A copy without lone surrogates. The copy shares no memory with a longer text that it is a part of. */
export function wellFormed(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}

/** Text of any value, for a label: strings as they are, empty for absent values, other values as JSON. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const json = toJson(value) ?? "";
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

/** First and last instants of google.protobuf.Timestamp: years 1 to 9999. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** An instant in milliseconds since the epoch as RFC 3339; undefined for NaN and instants that the services refuse. */
export function rfc3339(epochMs: number): string | undefined {
  if (!(epochMs >= FIRST_MS && epochMs <= LAST_MS)) return undefined;
  return new Date(epochMs).toISOString();
}
