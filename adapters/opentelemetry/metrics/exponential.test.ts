// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketIndex, ExponentialHistogram, MAX_SCALE, MIN_SCALE } from "./exponential.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const scale = fc.integer({ min: MIN_SCALE, max: MAX_SCALE });

describe("the exponential histogram", () => {
  it("puts powers of two into the bucket that ends with them, at every scale", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1074, max: 1023 }), scale, (exponent, atScale) => {
        const width = 2 ** -atScale;
        assert.equal(bucketIndex(2 ** exponent, atScale), Math.ceil(exponent / width) - 1);
      }),
    );
  });

  it("puts each value between the bounds of its bucket", () => {
    const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(positive, scale, (value, atScale) => {
        const index = bucketIndex(value, atScale);
        const logarithm = Math.log2(value) * 2 ** atScale;
        // A logarithm is rounded: at scale 20, by a thousandth of a bucket.
        assert.ok(logarithm >= index - 0.01 && logarithm <= index + 1.01, `${logarithm} in ${index}`);
      }),
      { numRuns: 2000 },
    );
  });

  it("never has more buckets than it may, and counts every value once", () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 200 }), fc.integer({ min: 2, max: 160 }), (values, most) => {
        const histogram = new ExponentialHistogram(MAX_SCALE, most);
        for (const value of values) histogram.record(value);
        const { count, zeroCount, positive, negative, scale: atScale, sum } = histogram.snapshot();
        const total = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0);
        assert.equal(count, values.length);
        assert.equal(zeroCount, values.filter((value) => value === 0).length);
        assert.equal(total(positive.bucketCounts), values.filter((value) => value > 0).length);
        assert.equal(total(negative.bucketCounts), values.filter((value) => value < 0).length);
        assert.ok(positive.bucketCounts.length <= most && negative.bucketCounts.length <= most);
        assert.ok(Number.isFinite(sum));
        for (const value of values) {
          if (value === 0) continue;
          const { offset, bucketCounts } = value > 0 ? positive : negative;
          assert.ok((bucketCounts[bucketIndex(Math.abs(value), atScale) - offset] ?? 0) > 0);
        }
      }),
    );
  });

  it("has the same buckets whatever the order of the values", () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 100 }), (values) => {
        const snapshots = [values, [...values].reverse()].map((ordered) => {
          const histogram = new ExponentialHistogram(MAX_SCALE, 20);
          for (const value of ordered) histogram.record(value);
          const { positive, negative, scale: atScale } = histogram.snapshot();
          return { positive, negative, atScale };
        });
        assert.deepEqual(snapshots[0], snapshots[1]);
      }),
    );
  });
});
