// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import { isTracedFunction } from "../../expressions/tracing/traced-value.ts";
import { REDACTED, type Redaction } from "./redaction.ts";

/** Items of a list and entries of an object that are shown at most. */
const MOST_MEMBERS = 20;
const DEEPEST = 4;

/**
 * A value as short JSON text, with an ellipsis for omitted parts; `nothing` for no value. Bypasses recording
 * views, so that showing a value does not count as reading it.
 */
export function shownValue(value: unknown, maxLength: number, redaction: Redaction): string {
  const text = redaction.clean(textOf(value, maxLength, redaction, 0));
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

function textOf(value: unknown, maxLength: number, redaction: Redaction, depth: number): string {
  if (value === undefined) return "nothing";
  if (isTracedFunction(value)) return "a function";
  if (typeof value === "string") {
    // Cleaned before it is cut: the part of a secret that is left would not be found again.
    const clean = redaction.clean(value);
    return clean.length > maxLength ? JSON.stringify(`${clean.slice(0, maxLength)}…`) : JSON.stringify(clean);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const plain = behindView(value) as Readonly<Record<string, unknown>>;
  if (depth >= DEEPEST) return Array.isArray(plain) ? "[…]" : "{…}";
  const parts: string[] = [];
  let length = 0;
  for (const key of Object.keys(plain)) {
    if (plain[key] === undefined) continue;
    if (parts.length >= MOST_MEMBERS || length > maxLength) {
      parts.push("…");
      break;
    }
    const shown = redaction.hides(plain, key)
      ? `"${REDACTED}"`
      : textOf(plain[key], maxLength, redaction, depth + 1);
    parts.push(Array.isArray(plain) ? shown : `${JSON.stringify(key)}:${shown}`);
    length += (parts.at(-1) as string).length;
  }
  return Array.isArray(plain) ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
}
