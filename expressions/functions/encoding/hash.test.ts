// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { ExpressionError } from "../../errors/expression-error.ts";
import { HASH_FUNCTIONS, murmur3 } from "./hash.ts";

const hash = HASH_FUNCTIONS[0]?.implementation as unknown as (text: string, buckets?: number) => number;

describe("the hash", () => {
  it("agrees with MurmurHash3's published vectors", () => {
    const vectors: readonly (readonly [text: string, seed: number, hash: number])[] = [
      ["", 0, 0],
      ["", 1, 0x514e28b7],
      ["", 0xffffffff, 0x81f16f39],
      ["test", 0, 0xba6bd213],
      ["test", 0x9747b28c, 0x704b81dc],
      ["Hello, world!", 0, 0xc0363e43],
      ["Hello, world!", 0x9747b28c, 0x24884cba],
      ["The quick brown fox jumps over the lazy dog", 0, 0x2e4ff723],
      ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
      ["aaaa", 0x9747b28c, 0x5a97808a],
      ["aaa", 0x9747b28c, 0x283e0130],
      ["aa", 0x9747b28c, 0x5d211726],
      ["a", 0x9747b28c, 0x7fa09ea6],
      ["ππππππππ", 0x9747b28c, 0xd58063c1],
    ];
    for (const [text, seed, expected] of vectors)
      assert.equal(murmur3(new TextEncoder().encode(text), seed), expected, `${text} ${seed}`);
  });

  it("is an unsigned 32-bit integer, or a bucket", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 2 ** 32 }), (text, buckets) => {
        const whole = hash(text);
        assert.ok(Number.isInteger(whole) && whole >= 0 && whole < 2 ** 32);
        assert.equal(hash(text, buckets), whole % buckets);
      }),
    );
  });

  it("fills buckets evenly", () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let user = 0; user < 10_000; user++) {
      const bucket = hash(`user-${user}`, 10);
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    // 1000 in each bucket, within five standard deviations (30 each).
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 150, String(counts));
  });

  it("refuses invalid numbers of buckets", () => {
    for (const buckets of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 1])
      assert.throws(
        () => hash("a", buckets),
        (error) => error instanceof ExpressionError && error.code === "D4007",
      );
  });
});
