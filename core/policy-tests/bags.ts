// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";

/** A bag as a test writes it: null removes an attribute. */
export type PartialBag = Readonly<Record<string, unknown>>;

/**
 * Merges bags, later ones over earlier ones: maps are merged, other values are replaced, null removes the
 * value.
 */
export function mergeBags(parts: readonly PartialBag[]): AttributeBag {
  return parts.reduce<PartialBag>(merge, {}) as AttributeBag;
}

function merge(below: PartialBag, above: PartialBag): PartialBag {
  const merged = new Map(Object.entries(below));
  for (const [key, value] of Object.entries(above)) {
    const present = merged.get(key);
    if (value === null) merged.delete(key);
    else if (isMap(value)) merged.set(key, merge(isMap(present) ? present : {}, value));
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

function isMap(value: unknown): value is PartialBag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A bag with a single attribute, given by its dotted name. */
export function bagAt(name: string, value: unknown): PartialBag {
  return name.split(".").reduceRight<unknown>((inner, step) => ({ [step]: inner }), value) as PartialBag;
}
