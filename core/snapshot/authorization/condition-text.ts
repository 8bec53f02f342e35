// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Parts of the text of a condition, each true or false for every bag. */

/** A text or an array of texts as a literal of JSONata, whose escapes are JSON's. */
export function literal(value: string | readonly string[]): string {
  return JSON.stringify(value);
}

/** The path of an attribute: names that are no plain words are quoted. */
export function attributePath(names: readonly string[]): string {
  return names.map((name) => (PLAIN_NAME.test(name) && !WORDS.has(name) ? name : literal(name))).join(".");
}

const PLAIN_NAME = /^[A-Za-z_]\w*$/;
/** Names that are operators or constants of JSONata. */
const WORDS: ReadonlySet<string> = new Set(["and", "or", "in", "true", "false", "null"]);

/** True when all parts are; true when there are none. */
export function allOf(parts: readonly string[]): string {
  return joined(parts, " and ", "true");
}

/** True when one of the parts is; false when there are none. */
export function anyOf(parts: readonly string[]): string {
  return joined(parts, " or ", "false");
}

/** True when the part is false, or has no value because an attribute is absent: `$not` alone would have none then. */
export function not(part: string): string {
  return `$not(${part} or false)`;
}

function joined(parts: readonly string[], operator: string, none: string): string {
  if (parts.length <= 1) return parts[0] ?? none;
  return parts.map((part) => (/ (?:and|or) /.test(part) ? `(${part})` : part)).join(operator);
}
