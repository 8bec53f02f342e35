// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { StreamTable } from "./stream-table.ts";

interface Stream {
  readonly id: number;
}

describe("StreamTable", () => {
  it("has what a Map has, whatever comes and goes", () => {
    // Few ids, and ids a power of two apart, which share their slots.
    const id = fc.oneof(
      fc.integer({ min: 0, max: 40 }).map((n) => 2 * n + 1),
      fc.integer({ min: 0, max: 20 }).map((n) => 64 * n + 1),
      fc.constantFrom(2 ** 31 - 1, 2 ** 31 - 3, 1),
    );
    const step = fc.record({ id, adds: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const table = new StreamTable<Stream>();
        const model = new Map<number, Stream>();
        for (const { id: at, adds } of steps) {
          if (!adds) {
            table.delete(at);
            model.delete(at);
          } else if (!model.has(at)) {
            const stream = { id: at };
            table.add(stream);
            model.set(at, stream);
          }
          assert.equal(table.size, model.size);
          for (const { id: known } of steps) assert.equal(table.get(known), model.get(known));
        }
        assert.deepEqual(
          [...table],
          [...model.values()].toSorted((a, b) => a.id - b.id),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("passes over the streams that are removed while it is read", () => {
    const table = new StreamTable<Stream>();
    for (const id of [5, 1, 3, 7]) table.add({ id });
    const read: number[] = [];
    for (const { id } of table) {
      read.push(id);
      table.delete(id);
      table.delete(5);
      if (id === 3) table.add({ id: 9 });
    }
    assert.deepEqual(read, [1, 3, 7]);
    assert.equal(table.size, 1);
  });

  it("grows with the streams that are open at a time, and with no others", () => {
    const table = new StreamTable<Stream>();
    for (let id = 1; id < 200_000; id += 2) {
      table.add({ id });
      if (id > 1_000) table.delete(id - 1_000);
    }
    assert.equal(table.size, 500);
    assert.equal(table.get(1), undefined);
    assert.equal(table.get(199_999)?.id, 199_999);
  });
});
