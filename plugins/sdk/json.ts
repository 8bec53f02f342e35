// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Longer texts are cut: a body in a log variable must not become a line of megabytes. */
const MAX_TEXT_LENGTH = 8192;

/** Deeper structures end there; nothing that an expression gives is so deep by intent. */
const MAX_DEPTH = 20;

/**
 * JSON of anything: circles, bigints and objects whose toJSON throws are written as best they can, and never stop a
 * line. Undefined for what JSON leaves out: undefined, functions, symbols.
 */
export function toJson(value: unknown): string | undefined {
  return write(value, []);
}

function write(value: unknown, ancestors: readonly object[]): string | undefined {
  switch (typeof value) {
    case "string":
      return JSON.stringify(cut(value));
    case "bigint":
      // As text, so that no reader rounds it.
      return `"${value}"`;
    case "number":
    case "boolean":
      return JSON.stringify(value);
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
    // A getter or a toJSON of the value's own failed.
    return '"[unwritable]"';
  }
}

function cut(text: string): string {
  if (text.length <= MAX_TEXT_LENGTH) return text;
  return `${text.slice(0, MAX_TEXT_LENGTH)}… (${text.length - MAX_TEXT_LENGTH} more characters)`;
}
