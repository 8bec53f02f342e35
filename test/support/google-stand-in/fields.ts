// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { invalidField } from "./status.ts";

/** Reading requests as strictly as the services' JSON parsers. */

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fieldsAt(value: unknown, path: string): Fields {
  if (!isFields(value)) throw invalidField(path, "an object is required.");
  return value;
}

export function listAt(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw invalidField(path, "a list is required.");
  return value;
}

export function textAt(value: unknown, path: string): string {
  if (typeof value !== "string") throw invalidField(path, "text is required.");
  return value;
}

/** Labels: an object whose values are text. */
export function labelsAt(value: unknown, path: string): Readonly<Record<string, string>> {
  const labels = fieldsAt(value ?? {}, path);
  for (const [key, label] of Object.entries(labels)) textAt(label, `${path}.${key}`);
  return labels as Readonly<Record<string, string>>;
}

/** A google.protobuf.Timestamp, as milliseconds since the epoch. */
export function instantAt(value: unknown, path: string): number {
  const text = textAt(value, path);
  const epochMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(epochMs)) throw invalidField(path, "a time in RFC 3339 is required.");
  return epochMs;
}

/** An int64: text, or a whole number. */
export function int64At(value: unknown, path: string): bigint {
  if (typeof value === "string" && /^-?\d{1,19}$/.test(value)) {
    const number = BigInt(value);
    if (BigInt.asIntN(64, number) === number) return number;
  }
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  throw invalidField(path, "an int64 is required.");
}

export function doubleAt(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw invalidField(path, "a number is required.");
  return value;
}

/** Number of Unicode characters. */
export function characters(text: string): number {
  return Array.from(text).length;
}

/** Refuses text that is not Unicode, in values and keys alike. */
export function assertUnicode(value: unknown): void {
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw invalidField("body", "a text is not valid Unicode.");
  } else if (Array.isArray(value)) for (const item of value) assertUnicode(item);
  else if (isFields(value))
    for (const [key, part] of Object.entries(value)) {
      assertUnicode(key);
      assertUnicode(part);
    }
}
