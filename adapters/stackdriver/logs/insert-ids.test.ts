// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { InsertIds } from "./insert-ids.ts";

describe("the ids of log entries", () => {
  it("are new and grow, and return once each for the content that they were kept for", () => {
    const ids = new InsertIds("task");
    const [first, second, third] = [ids.take("a"), ids.take("a"), ids.take("b")];
    assert.deepEqual([first, second, third].toSorted(), [first, second, third]);
    assert.equal(first, "task-0000000000");
    ids.keep("a", first);
    ids.keep("a", second);
    assert.deepEqual(
      [ids.take("a"), ids.take("b"), ids.take("a"), ids.take("a")],
      [first, "task-0000000003", second, "task-0000000004"],
    );
    assert.equal(ids.size, 0);
  });

  it("are forgotten beyond a bound, the oldest first", () => {
    const ids = new InsertIds("task");
    for (let index = 0; index < 10_010; index++) ids.keep(String(index), `id-${index}`);
    assert.equal(ids.size, 10_000);
    assert.notEqual(ids.take("9"), "id-9");
    assert.equal(ids.take("10"), "id-10");
  });
});
