// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { cellName } from "./cell-name.ts";

describe("cellName", () => {
  it("reads as the policy and the key's values", () => {
    assert.equal(cellName("shop/reviews", { user: "ada", code: 7 }), 'shop/reviews{"code":7,"user":"ada"}');
    assert.equal(cellName("all", {}), "all{}");
  });

  it("does not depend on the order in which a document names the dimensions", () => {
    assert.equal(cellName("p", { a: 1, b: 2 }), cellName("p", { b: 2, a: 1 }));
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
    assert.equal(new Set(keys.map((key) => cellName("p", key))).size, keys.length);
  });

  it("never gives two policies or two keys the same name", () => {
    const policy = fc.stringMatching(/^[a-z0-9/-]{1,6}$/);
    const key = fc.dictionary(
      fc.string({ maxLength: 3 }),
      fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean()),
    );
    const canonical = (name: string, values: Record<string, unknown>) =>
      JSON.stringify([name, Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))]);
    fc.assert(
      fc.property(policy, key, policy, key, (policyA, keyA, policyB, keyB) => {
        const same = canonical(policyA, keyA) === canonical(policyB, keyB);
        assert.equal(cellName(policyA, keyA) === cellName(policyB, keyB), same);
      }),
      { numRuns: 500 },
    );
  });
});
