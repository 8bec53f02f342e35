// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { SparseBuckets } from "../../plugins/sdk/index.ts";
import { bucketOf, NativeBuckets } from "./native-buckets.ts";

/** index, count of each bucket that is not empty. */
function bucketsIn({ spans, deltas }: SparseBuckets): readonly (readonly [number, number])[] {
  const buckets: [number, number][] = [];
  let [index, count, delta] = [0, 0, 0];
  for (let span = 0; span < spans.length; span += 2) {
    index += spans[span] as number;
    for (let length = spans[span + 1] as number; length > 0; length--) {
      count += deltas[delta++] as number;
      if (count > 0) buckets.push([index, count]);
      index++;
    }
  }
  assert.equal(delta, deltas.length);
  return buckets;
}

const POSITIVE = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true });

describe("native buckets", () => {
  it("put powers of two into the bucket that they are the bound of", () => {
    for (const schema of [3, 1, 0, -1, -4]) {
      for (const power of [-1074, -1022, -3, 0, 1, 4, 1023]) {
        const index = bucketOf(2 ** power, schema);
        assert.equal(index, Math.ceil(power * 2 ** schema), `2^${power} at schema ${schema}`);
      }
    }
    assert.equal(bucketOf(1.0000000000000002, 3), 1);
    assert.equal(bucketOf(Number.MAX_VALUE, 3), 8192);
  });

  it("put a value between the bounds of its bucket, and never a greater one into a lower bucket", () => {
    fc.assert(
      fc.property(POSITIVE, POSITIVE, fc.integer({ min: -4, max: 3 }), (a, b, schema) => {
        const index = bucketOf(a, schema);
        const exponent = Math.log2(a) * 2 ** schema;
        assert.ok(exponent <= index + 1e-6 && exponent > index - 1 - 1e-6);
        if (a < b) assert.ok(index <= bucketOf(b, schema));
      }),
      { numRuns: 2_000 },
    );
  });

  it("count every observation once, in a bounded number of buckets", () => {
    const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 2_000 });
    fc.assert(
      fc.property(values, (observations) => {
        const native = new NativeBuckets();
        for (const value of observations) native.observe(value);
        const { schema, zeroCount, positive, negative } = native.exposed();
        assert.ok(schema >= -4 && schema <= 3);
        const [up, down] = [bucketsIn(positive), bucketsIn(negative)];
        assert.ok(up.length + down.length <= 264);
        const count = [...up, ...down].reduce((sum, [, one]) => sum + one, zeroCount);
        assert.equal(count, observations.length);
        for (const [index, expected] of up) {
          const inside = observations.filter(
            (value) => value > 2 ** -128 && bucketOf(value, schema) === index,
          );
          assert.equal(inside.length, expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("widen when a series needs more than 160, and keep gaps short", () => {
    const native = new NativeBuckets();
    for (const value of [1, 1.5, 1000]) native.observe(value);
    assert.deepEqual(native.exposed(), {
      schema: 3,
      zeroThreshold: 2 ** -128,
      zeroCount: 0,
      positive: { spans: [0, 1, 4, 1, 74, 1], deltas: [1, 0, 0] },
      negative: { spans: [], deltas: [] },
    });
    for (let power = -200; power < 200; power++) native.observe(2 ** power);
    assert.equal(native.exposed().schema, -2);
    assert.equal(native.exposed().zeroCount, 73);
  });
});
