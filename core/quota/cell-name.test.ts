// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { type CellPolicy, cellName, isCellOf } from "./cell-name.ts";

const WINDOW: CellPolicy = { name: "p", algorithm: "sliding-window" };
const BUCKET: CellPolicy = { name: "p", algorithm: "token-bucket" };

describe("cellName", () => {
  it("reads as the policy and the key's values", () => {
    const reviews: CellPolicy = { name: "shop/reviews", algorithm: "fixed-window" };
    assert.equal(cellName(reviews, { user: "ada", code: 7 }, 5), 'shop/reviews{"code":7,"user":"ada"}');
    assert.equal(cellName(WINDOW, {}, 5), "p{}");
  });

  it("has the limit in a token bucket's name alone", () => {
    assert.equal(cellName(BUCKET, { user: "ada" }, 5), 'p{"user":"ada"}@5');
    assert.notEqual(cellName(BUCKET, {}, 5), cellName(BUCKET, {}, 50));
    assert.equal(cellName(WINDOW, {}, 5), cellName(WINDOW, {}, 50));
  });

  it("is known for its policy's and its limit's", () => {
    for (const policy of [WINDOW, BUCKET]) {
      const cell = cellName(policy, { user: "}@5" }, 50);
      assert.ok(isCellOf(policy, 50, cell));
      assert.equal(isCellOf(policy, 5, cell), policy === WINDOW);
      assert.ok(!isCellOf({ ...policy, name: "pp" }, 50, cell));
      assert.ok(!isCellOf({ ...policy, name: "" }, 50, cell));
    }
    assert.ok(!isCellOf(BUCKET, 5, cellName(WINDOW, {}, 5)));
    assert.ok(!isCellOf(WINDOW, 5, cellName(BUCKET, {}, 5)));
  });

  it("does not depend on the order in which a document names the dimensions", () => {
    assert.equal(cellName(WINDOW, { a: 1, b: 2 }, 5), cellName(WINDOW, { b: 2, a: 1 }, 5));
  });

  it("tells absent, null, empty, numbers and strings apart", () => {
    const keys = [
      {},
      { a: undefined, b: 1 },
      { a: null },
      { a: "" },
      { a: 1 },
      { a: "1" },
      { a: true },
      { a: "true" },
    ];
    assert.equal(new Set(keys.map((key) => cellName(BUCKET, key, 5))).size, keys.length);
  });

  it("never gives two policies, keys or buckets the same name", () => {
    const policy = fc.stringMatching(/^[a-z0-9/-]{1,6}$/);
    const key = fc.dictionary(
      fc.string({ maxLength: 3 }),
      fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean()),
    );
    const cell = fc.record({ policy, key, limit: fc.integer({ min: 0, max: 20 }) });
    type Cell = { readonly policy: string; readonly key: Record<string, unknown>; readonly limit: number };
    const canonical = ({ policy: name, key: values, limit }: Cell) =>
      JSON.stringify([name, Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)), limit]);
    const nameOf = ({ policy: name, key: values, limit }: Cell) =>
      cellName({ ...BUCKET, name }, values, limit);
    fc.assert(
      fc.property(cell, cell, (a, b) => {
        assert.equal(nameOf(a) === nameOf(b), canonical(a) === canonical(b));
      }),
      { numRuns: 500 },
    );
  });
});
