// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { SieveCache, type SieveEntry } from "./sieve-cache.ts";

const entryOf = (key: string, size = 1): SieveEntry => ({ key, size, used: false, dropped: false });
const keysOf = (cache: SieveCache<SieveEntry>): readonly string[] =>
  Array.from(cache.values(), ({ key }) => key);

describe("a sieve cache", () => {
  it("evicts the oldest entry that was not used since the hand passed it", () => {
    const evicted: string[] = [];
    const cache = new SieveCache<SieveEntry>({ maxEntries: 3, onEvict: ({ key }) => evicted.push(key) });
    for (const key of ["a", "b", "c"]) cache.set(entryOf(key));
    cache.get("a");
    cache.peek("b");
    cache.set(entryOf("d"));
    assert.deepEqual(evicted, ["b"]);
    // The hand stands behind b: a was spared once, and is not asked again before c and d.
    cache.set(entryOf("e"));
    assert.deepEqual(evicted, ["b", "c"]);
    assert.deepEqual(keysOf(cache), ["a", "d", "e"]);
  });

  it("evicts although every entry is in use, and goes on where it stopped", () => {
    const cache = new SieveCache<SieveEntry>({ maxEntries: 2 });
    for (const key of ["a", "b", "c", "d", "e"]) {
      cache.set(entryOf(key));
      for (const entry of cache.values()) entry.used = true;
    }
    assert.equal(cache.size, 2);
  });

  it("tells a holder that an entry has left, in whatever way", () => {
    const cache = new SieveCache<SieveEntry>({ maxEntries: 2, maxSize: 10 });
    const [first, second, third, huge] = [entryOf("a"), entryOf("b"), entryOf("c"), entryOf("d", 11)];
    cache.set(first);
    cache.set(second);
    cache.set(third);
    assert.deepEqual([first.dropped, second.dropped, third.dropped], [true, false, false]);
    const again = entryOf("b");
    cache.set(again);
    assert.deepEqual([second.dropped, again.dropped], [true, false]);
    cache.set(huge);
    assert.equal(huge.dropped, true);
    cache.delete(again);
    cache.clear();
    assert.deepEqual([again.dropped, third.dropped, cache.size], [true, true, 0]);
    cache.set(entryOf("e"));
    assert.deepEqual(keysOf(cache), ["e"]);
  });

  it("does not delete another entry with the same key", () => {
    const cache = new SieveCache<SieveEntry>({ maxEntries: 2 });
    cache.set(entryOf("a"));
    cache.delete(entryOf("a"));
    assert.deepEqual(keysOf(cache), ["a"]);
  });

  it("keeps to both limits, and has what a map has of the entries that it keeps", () => {
    const step = fc.record({
      key: fc.constantFrom(..."abcdefghij".split("")),
      size: fc.integer({ min: 0, max: 6 }),
      act: fc.constantFrom("set", "get", "delete", "clear"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const cache = new SieveCache<SieveEntry>({ maxEntries: 4, maxSize: 12 });
        const last = new Map<string, SieveEntry>();
        for (const { key, size, act } of steps) {
          const known = cache.peek(key);
          if (act === "set") {
            const entry = entryOf(key, size);
            cache.set(entry);
            assert.equal(cache.get(key), entry);
            last.set(key, entry);
          } else if (act === "get") assert.equal(known?.dropped ?? true, known === undefined);
          else if (act === "delete" && known !== undefined) cache.delete(known);
          else if (act === "clear" && size === 0) cache.clear();
          const kept = [...cache.values()];
          assert.ok(kept.length <= 4 && kept.reduce((sum, entry) => sum + entry.size, 0) <= 12);
          for (const entry of kept) assert.equal(last.get(entry.key), entry);
          for (const entry of last.values()) assert.equal(entry.dropped, !kept.includes(entry));
        }
      }),
    );
  });

  it("holds nothing of the entries that were replaced, also while nothing is evicted", () => {
    // A process of its own, in which nothing else is collected.
    const program = `
      import { SieveCache } from ${JSON.stringify(new URL("sieve-cache.ts", import.meta.url).href)};
      const cache = new SieveCache({ maxEntries: 1000 });
      const replace = (times) => {
        for (let time = 0; time < times; time++)
          for (const key of ["a", "b", "c"])
            cache.set({ key, size: 1, used: false, dropped: false, load: new Array(100).fill(time) });
      };
      replace(100);
      gc();
      const before = process.memoryUsage().heapUsed;
      replace(5_000);
      gc();
      console.log(process.memoryUsage().heapUsed - before);`;
    const flags = ["--expose-gc", "--import=tsx", "--input-type=module", "--eval", program];
    const grownBytes = Number(execFileSync(process.execPath, flags, { encoding: "utf8" }));
    // The entries that were replaced had 13 MB. An iterator of the Map that nothing moves keeps them all.
    assert.ok(grownBytes < 1_000_000, `the heap has grown by ${grownBytes} bytes`);
  });
});
