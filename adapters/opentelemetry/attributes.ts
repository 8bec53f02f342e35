// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { toJson } from "../../plugins/sdk/index.ts";
import type { Attributes } from "./otlp.ts";

/** Longer texts are cut, in characters; the same limit as in the adapter stdout. */
const MAX_TEXT_LENGTH = 8192;

/** Deeper structures become JSON text. */
const MAX_DEPTH = 8;

/** A value that the serializers encode without loss: text, boolean, finite number, or a list or map of such. */
type AnyValue = string | boolean | number | readonly AnyValue[] | { readonly [key: string]: AnyValue };

/**
 * Attributes of any values. Absent values, functions and empty keys are left out; numbers that are not finite, or integers
 * beyond 2^53, become text: JSON has no form for the former, and int64 none for the latter.
 *
 * @param left Keys that are left out.
 */
export function attributesOf(
  values: Readonly<Record<string, unknown>>,
  left?: ReadonlySet<string>,
): Attributes {
  const attributes: Record<string, AnyValue> = {};
  for (const key of Object.keys(values)) {
    if (key === "" || left?.has(key) === true) continue;
    const value = anyValueOf(values[key], NO_ANCESTORS);
    if (value !== undefined) define(attributes, cut(key), value);
  }
  return attributes as Attributes;
}

const NO_ANCESTORS: readonly object[] = [];

/** The value for OTLP; undefined for a value that has none. */
export function anyValueOf(
  value: unknown,
  ancestors: readonly object[] = NO_ANCESTORS,
): AnyValue | undefined {
  switch (typeof value) {
    case "string":
      return cut(value);
    case "boolean":
      return value;
    case "number":
      // int64 has no -0, which + 0 makes 0.
      return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
        ? value + 0
        : String(value);
    case "bigint":
      return String(value);
    case "object":
      return value === null ? undefined : ofObject(value, ancestors);
    case "undefined":
    case "function":
    case "symbol":
      return undefined;
  }
}

function ofObject(value: object, ancestors: readonly object[]): AnyValue | undefined {
  if (ancestors.includes(value)) return "[circular]";
  if (ancestors.length >= MAX_DEPTH || hasToJson(value)) return textOf(value);
  const inner = [...ancestors, value];
  try {
    if (Array.isArray(value)) return value.map((item) => anyValueOf(item, inner) ?? "");
    const map: Record<string, AnyValue> = {};
    for (const [key, part] of Object.entries(value)) {
      const converted = anyValueOf(part, inner);
      if (converted !== undefined) define(map, cut(key), converted);
    }
    return map;
  } catch {
    // A getter of the value threw.
    return "[unwritable]";
  }
}

/** A Date and its like: the text that JSON has for it, without quotes. */
function textOf(value: object): string | undefined {
  const json = toJson(value);
  return json === undefined ? undefined : cut(json.startsWith('"') ? (JSON.parse(json) as string) : json);
}

function hasToJson(value: object): boolean {
  try {
    return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
  } catch {
    return true;
  }
}

/** Sets an own property, also for a key such as `__proto__`. */
function define(target: Record<string, AnyValue>, key: string, value: AnyValue): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

function cut(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH - 1)}…`;
}
