// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { anyOf, literal } from "./condition-text.ts";

/** Tests of one subject, an expression whose value is a text or absent. */
export interface Subject {
  readonly text: string;
  /** Whether the value may be a list of texts, one of which must match, or something other than text: a token's claim. */
  readonly isClaim?: boolean;
}

/**
 * Condition that a subject matches one of the values, by Istio's string matches: a whole value, `prefix*`, `*suffix`, or
 * `*` for any value that is not empty. False for an absent subject.
 */
export function matchesAny(subject: Subject, values: readonly string[]): string {
  const whole = values.filter((value) => !value.startsWith("*") && !value.endsWith("*"));
  const exact = whole.length === 0 ? [] : [equalsOne(subject, whole)];
  const others = values.filter((value) => !whole.includes(value)).map((value) => matches(subject, value));
  return anyOf([...exact, ...others]);
}

function equalsOne({ text, isClaim = false }: Subject, values: readonly string[]): string {
  if (isClaim) return anyOf(values.map((value) => `${literal(value)} in ${text}`));
  const [first = ""] = values;
  return values.length === 1 ? `${text} = ${literal(first)}` : `${text} in ${literal(values)}`;
}

/** Attributes that are absent or a text with characters. */
const NEVER_EMPTY: ReadonlySet<string> = new Set([
  "request.auth.principal",
  "request.method",
  "request.url_path",
]);

function matches({ text, isClaim = false }: Subject, value: string): string {
  if (isClaim) {
    const test = value === "*" ? '$ != ""' : affixOf("$", value);
    return `$exists([${text}][$type($) = "string"][${test}])`;
  }
  if (value !== "*") return affixOf(text, value);
  // A comparison with the empty text would be reported as impossible.
  return NEVER_EMPTY.has(text) ? `$startsWith(${text}, "")` : `($exists(${text}) and ${text} != "")`;
}

function affixOf(text: string, value: string): string {
  return value.startsWith("*")
    ? `$endsWith(${text}, ${literal(value.slice(1))})`
    : `$startsWith(${text}, ${literal(value.slice(0, -1))})`;
}

/** Condition that an address is in one of the blocks. */
export function inBlocks(text: string, blocks: readonly string[]): string {
  return `$cidr(${text}, ${literal(blocks)})`;
}

/** Condition that a port is one of the ports, which are digits. */
export function isPort(text: string, ports: readonly string[]): string {
  return `${text} in [${ports.join(", ")}]`;
}
