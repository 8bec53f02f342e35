// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Maximum length of a tag, in characters; Datadog cuts longer ones (docs.datadoghq.com/getting_started/tagging). */
const MAX_TAG_LENGTH = 200;

/** A name or a part of one: ASCII letters, digits, `_`, `-` and `.`; others become `_`. */
export function toName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.-]/gu, "_");
}

/** A label's value as one level of a Graphite path. */
export function toLevel(text: string): string {
  return text === "" ? "_" : text.replaceAll(/[^A-Za-z0-9_-]/gu, "_");
}

/**
 * A name of Datadog: begins with a letter; ASCII letters, digits, `_` and `.`.
 */
export function toDogName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9_.]/gu, "_");
  return /^[A-Za-z]/.test(name) ? name : `m_${name}`;
}

/**
 * A tag `key:value`, or `key` for an empty value. Letters and digits of any script stay; characters that separate tags or lines, and
 * any others that Datadog would replace, become `_`.
 */
export function toTag(key: string, value: string): string {
  const name = cut(key).replaceAll(/[^\p{L}\p{N}_./-]/gu, "_");
  const text = cut(value).replaceAll(/[^\p{L}\p{N}_./:-]/gu, "_");
  const tag = text === "" ? name || "_" : `${name || "_"}:${text}`;
  return Array.from(tag).slice(0, MAX_TAG_LENGTH).join("");
}

/** Bounds the work of the patterns; a character takes at most two UTF-16 units. */
function cut(text: string): string {
  return text.slice(0, 2 * MAX_TAG_LENGTH);
}
