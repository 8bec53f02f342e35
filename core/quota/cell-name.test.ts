// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { cellName, isCellOf, policyOfCell } from "./cell-name.ts";

const POLICY = { name: "p" };

describe("cellName", () => {
  it("contains the policy and the key's values", () => {
    assert.equal(
      cellName({ name: "shop/reviews" }, { user: "ada", code: 7 }),
      'shop/reviews{"code":7,"user":"ada"}',
    );
    assert.equal(cellName(POLICY, {}), "p{}");
  });

  it("reveals its policy", () => {
    const cell = cellName(POLICY, { user: "}{" });
    assert.equal(policyOfCell(cell), "p");
    assert.ok(isCellOf(POLICY, cell));
    for (const name of ["pp", "", "p{"]) assert.ok(!isCellOf({ name }, cell));
    assert.ok(!isCellOf(POLICY, `${cell}@5`));
  });

  it("does not depend on the order of a document's dimensions", () => {
    assert.equal(cellName(POLICY, { a: 1, b: 2 }), cellName(POLICY, { b: 2, a: 1 }));
  });

  it("distinguishes absent, null, empty, numbers and strings", () => {
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
    assert.equal(new Set(keys.map((key) => cellName(POLICY, key))).size, keys.length);
  });

  it("never gives two policies or keys the same name", () => {
    const policy = fc.stringMatching(/^[a-z0-9/-]{1,6}$/);
    const key = fc.dictionary(
      fc.string({ maxLength: 3 }),
      fc.oneof(fc.string({ maxLength: 4 }), fc.integer(), fc.boolean()),
    );
    const cell = fc.record({ policy, key });
    type Cell = { readonly policy: string; readonly key: Record<string, unknown> };
    const canonical = ({ policy: name, key: values }: Cell) =>
      JSON.stringify([name, Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))]);
    fc.assert(
      fc.property(cell, cell, (a, b) => {
        const [nameA, nameB] = [a, b].map((one) => cellName({ name: one.policy }, one.key));
        assert.equal(nameA === nameB, canonical(a) === canonical(b));
      }),
      { numRuns: 500 },
    );
  });
});
