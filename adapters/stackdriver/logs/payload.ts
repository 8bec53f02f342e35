// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { toJson } from "../../../plugins/sdk/index.ts";
import { isRecord } from "../api/json.ts";
import { cutCharacters, wellFormed } from "../text.ts";

/** Mark of an entry whose long texts were cut. */
const CUT_FIELD = "purser_truncated";

/** The values of variables that JSON can represent. Lone surrogates, which the service refuses, become U+FFFD. */
export function payloadOf(variables: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const json = toJson(variables) ?? "{}";
  const parsed: unknown = JSON.parse(json);
  const payload = isRecord(parsed) ? parsed : {};
  // JSON writes a lone surrogate as an escape, and nothing else above U+007F.
  return json.includes("\\ud")
    ? (mapTexts(payload, wellFormed) as Readonly<Record<string, unknown>>)
    : payload;
}

/** The payload with each of its texts cut to `max` characters, and the mark that says so. */
export function cutPayload(
  payload: Readonly<Record<string, unknown>>,
  max: number,
): Readonly<Record<string, unknown>> {
  const cut = mapTexts(payload, (text) => (text.length <= max ? text : `${cutCharacters(text, max - 1)}…`));
  return { ...(cut as Readonly<Record<string, unknown>>), [CUT_FIELD]: true };
}

/** Every text and key through `change`. The depth is bounded by toJson. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [change(key), mapTexts(part, change)]),
  );
}
