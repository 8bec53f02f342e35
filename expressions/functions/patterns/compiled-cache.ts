// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";

/** Bounds of a cache, in patterns and in UTF-16 units of all patterns together: far more than policies have. */
const MAX_ENTRIES = 500;
const MAX_CHARACTERS = 1_048_576;

/** Wraps `compile` in a least-recently-used cache of its results. Errors are not cached. */
export function cached<Compiled extends object>(
  compile: (text: string) => Compiled,
  maxEntries = MAX_ENTRIES,
): (text: string) => Compiled {
  const cache = new LRUCache<string, Compiled>({
    max: maxEntries,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_compiled, text) => text.length + 1,
  });
  return (text) => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const compiled = compile(text);
    cache.set(text, compiled);
    return compiled;
  };
}
