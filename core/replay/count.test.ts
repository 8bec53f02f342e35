// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { CounterTable } from "./count.ts";

describe("counters by name", () => {
  it("return the largest first, by estimated count", () => {
    const table = new CounterTable();
    table.add("a", 1);
    table.add("a", 1);
    table.add("b", 10);
    assert.deepEqual(table.top(1), [{ name: "b", observed: 1, estimated: 10 }]);
    assert.equal(table.top().length, 2);
  });

  it("count names beyond their bound together", () => {
    const table = new CounterTable(2);
    for (const name of ["a", "b", "c", "d", "a"]) table.add(name, 1);
    assert.deepEqual(
      table.top().map(({ name, observed }) => [name, observed]),
      [
        ["(others)", 2],
        ["a", 2],
        ["b", 1],
      ],
    );
  });
});
