// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileLookup, type LabelLookup, SlotTable, UNFIT } from "./label-lookup.ts";
import { Series } from "./series.ts";

function compiled(keys: readonly string[], places: readonly number[]): LabelLookup {
  const lookup = compileLookup(keys, places);
  assert.ok(lookup);
  return lookup;
}

function seriesOf(...labels: readonly string[]): Series {
  return new Series(labels, { buckets: 0, overflow: false, createdMs: 0, native: undefined });
}

describe("the lookup of a label set", () => {
  it("keeps four label sets of one hash, and gives a fifth the slot of the first", () => {
    const lookup = compiled(["a"], [0]);
    const table = new SlotTable(64, 1);
    // The same length and last character.
    const values = ["1z", "2z", "3z", "4z"];
    const slots = values.map((a) => {
      const slot = lookup({ a }, table.cells, table.mask);
      assert.equal(typeof slot, "number");
      table.set(slot as number, seriesOf(a));
      return slot;
    });
    assert.equal(new Set(slots).size, values.length);
    for (const a of values) assert.deepEqual((lookup({ a }, table.cells, table.mask) as Series).labels, [a]);
    assert.equal(lookup({ a: "5z" }, table.cells, table.mask), slots[0]);
    table.set(slots[0] as number, seriesOf("5z"));
    assert.deepEqual((lookup({ a: "5z" }, table.cells, table.mask) as Series).labels, ["5z"]);
    assert.equal(lookup({ a: "1z" }, table.cells, table.mask), slots[0]);
  });

  it("hashes the character at the given place, also of shorter values", () => {
    const lookup = compiled(["a"], [2]);
    const { cells, mask } = new SlotTable(1024, 1);
    const slots = ["200", "300", "400", "500", "", "0", "00"].map((a) => lookup({ a }, cells, mask));
    assert.equal(new Set(slots).size, slots.length);
    assert.equal(lookup({ a: "200" }, cells, mask), lookup({ a: "201" }, cells, mask));
  });

  it("refuses label sets with other keys, and values that are not text", () => {
    const lookup = compiled(["a", "b"], [0, 0]);
    const { cells, mask } = new SlotTable(16, 2);
    for (const labels of [{}, { a: "" }, { a: "", c: "" }, { a: "", b: "", c: "" }, { a: "", b: 1 }])
      assert.equal(lookup(labels as never, cells, mask), UNFIT);
  });

  it("is not compiled for more than 64 labels", () => {
    const keys = Array.from({ length: 65 }, (_, index) => `l${index}`);
    assert.equal(
      compileLookup(
        keys,
        keys.map(() => 0),
      ),
      undefined,
    );
  });
});
