// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { numberText } from "../../kernel/number-text.ts";

/** Longer texts are cut: a body in a log variable must not become a line of megabytes. */
const MAX_TEXT_LENGTH = 8192;

/** Deeper structures are cut: no expression builds such a depth on purpose. */
const MAX_DEPTH = 20;

/**
 * JSON of any value: circular references, bigints and objects whose toJSON throws become text, and never
 * throw. undefined for values that JSON leaves out: undefined, functions, symbols.
 */
export function toJson(value: unknown): string | undefined {
  return write(value, NO_ANCESTORS);
}

const NO_ANCESTORS: readonly object[] = [];

function write(value: unknown, ancestors: readonly object[]): string | undefined {
  switch (typeof value) {
    case "string":
      return JSON.stringify(cut(value));
    case "bigint":
      // As text, so that no reader rounds the number.
      return `"${value}"`;
    case "number":
      // The text that JSON.stringify gives, in less time.
      return Number.isFinite(value) ? numberText(value) : "null";
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : writeObject(value, ancestors);
    case "undefined":
    case "function":
    case "symbol":
      return undefined;
  }
}

function writeObject(value: object, ancestors: readonly object[]): string | undefined {
  if (ancestors.includes(value)) return '"[circular]"';
  if (ancestors.length >= MAX_DEPTH) return '"[too deep]"';
  const inner = [...ancestors, value];
  try {
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
      return write((value as { toJSON(): unknown }).toJSON(), inner);
    }
    if (Array.isArray(value)) return `[${value.map((item) => write(item, inner) ?? "null").join(",")}]`;
    const members = Object.entries(value).flatMap(([key, part]) => {
      const json = write(part, inner);
      return json === undefined ? [] : [`${JSON.stringify(cut(key))}:${json}`];
    });
    return `{${members.join(",")}}`;
  } catch {
    // A getter or toJSON of the value threw.
    return '"[unwritable]"';
  }
}

function cut(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  return `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length - MAX_TEXT_LENGTH} more characters)`;
}
