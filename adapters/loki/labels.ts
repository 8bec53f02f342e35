// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Loki's default of max_label_value_length, in bytes. */
export const MAX_VALUE_BYTES = 2048;

/** Loki's default of max_label_name_length, in bytes. */
const MAX_NAME_LENGTH = 1024;

/** The name as Loki demands: letters, digits and `_`, no digit first. Other characters become `_`. */
export function labelName(name: string): string {
  const written = name.slice(0, MAX_NAME_LENGTH - 1).replaceAll(/[^A-Za-z0-9_]/g, "_");
  return /^[A-Za-z_]/.test(written) ? written : `_${written}`;
}

const MARK = "…";

/** The text cut to a number of bytes of UTF-8, with a `…` in the place of what was cut; never within a character. */
export function cutText(text: string, maxBytes: number): string {
  // A UTF-16 unit takes 3 bytes at most.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const room = new Uint8Array(maxBytes - Buffer.byteLength(MARK));
  const { read } = new TextEncoder().encodeInto(text, room);
  return text.slice(0, read) + MARK;
}

/** The labels as the text that Loki's messages have: `{a="1", b="2"}`, by name. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels)
    .toSorted()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{${pairs.join(", ")}}`;
}
