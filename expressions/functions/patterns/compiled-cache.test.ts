// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { cached } from "./compiled-cache.ts";

describe("a cache of compiled patterns", () => {
  /** A cache with the list of patterns that it compiled, in order. */
  function counting(maxEntries: number): {
    readonly compiled: string[];
    readonly ask: (text: string) => object;
  } {
    const compiled: string[] = [];
    const ask = cached((text) => {
      compiled.push(text);
      if (text === "bad") throw new Error("malformed");
      return { text };
    }, maxEntries);
    return { compiled, ask };
  }

  it("compiles a pattern once, and evicts the least recently used", () => {
    const { compiled, ask } = counting(2);
    for (const text of ["a", "b", "a", "c", "a", "b"]) assert.deepEqual(ask(text), { text });
    assert.deepEqual(compiled, ["a", "b", "c", "b"]);
  });

  it("does not cache errors", () => {
    const { compiled, ask } = counting(2);
    assert.throws(() => ask("bad"));
    assert.throws(() => ask("bad"));
    assert.deepEqual(compiled, ["bad", "bad"]);
  });

  it("does not cache a pattern larger than the cache", () => {
    const { compiled, ask } = counting(2);
    const huge = "x".repeat(1_048_577);
    ask("a");
    ask(huge);
    ask(huge);
    ask("a");
    assert.deepEqual(compiled, ["a", huge, huge]);
  });
});
