// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isFunctionObject } from "./limits.ts";

/**
 * What JSONata gave, as plain JSON of its own: no views, no sequence flags, nothing shared with the bag. Reading it
 * whole is what records it. A function is no value: undefined, or left out.
 */
export function plainValue(value: unknown): unknown {
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (item) => plainValue(item) ?? null);
  if (isFunctionObject(value)) return undefined;
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = plainValue((value as Record<string, unknown>)[key]);
    if (member === undefined) continue;
    // A key called __proto__ is a key.
    if (key === "__proto__")
      Object.defineProperty(plain, key, {
        value: member,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else plain[key] = member;
  }
  return plain;
}
