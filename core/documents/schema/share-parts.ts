// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type JsonSchema, mapInner } from "./plain-schema.ts";

/** Shortest JSON of a part, in UTF-16 units, that is shared: a reference takes about 30. */
const MIN_SHARED_LENGTH = 80;

/**
 * Gives each part that occurs several times in `schemas` an entry of its own, which is named for the field where it occurs
 * first, and refers to it. The result is the `$defs` of a schema.
 */
export function shareParts(schemas: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> {
  const counts = new Map<string, number>();
  const count = (part: JsonSchema): JsonSchema => {
    const text = JSON.stringify(part);
    const before = counts.get(text) ?? 0;
    counts.set(text, before + 1);
    // The parts of a shared part occur once more only where they stand outside it.
    if (before === 0) mapInner(part, count);
    return part;
  };
  for (const schema of Object.values(schemas)) mapInner(schema, count);

  const names = new Map<string, string>();
  const shared = new Map<string, JsonSchema>();
  const taken = new Set(Object.keys(schemas));
  const referring = (part: JsonSchema, name: string): JsonSchema => {
    const text = JSON.stringify(part);
    if (text.length < MIN_SHARED_LENGTH || counts.get(text) === 1) return mapInner(part, referring);
    let entry = names.get(text);
    if (entry === undefined) {
      entry = unusedName(name, taken);
      names.set(text, entry);
      shared.set(entry, mapInner(part, referring));
    }
    return { $ref: `#/$defs/${entry}` };
  };
  const whole = Object.entries(schemas).map(([name, schema]) => [name, mapInner(schema, referring)] as const);
  return Object.fromEntries([...whole, ...shared]);
}

function unusedName(name: string, taken: Set<string>): string {
  const base = name.replaceAll(/\W+/g, "") || "entry";
  let unused = base;
  for (let number = 2; taken.has(unused); number++) unused = `${base}${number}`;
  taken.add(unused);
  return unused;
}
