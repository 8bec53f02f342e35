// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { groupIn } from "./group.ts";

describe("a group of attributes", () => {
  it("is the object itself, and empty for every other value", () => {
    const request = { method: "GET" };
    assert.equal(groupIn(request), request);
    for (const value of [undefined, null, "text", 1, true, ["a"]])
      assert.deepEqual(Object.keys(groupIn(value)), []);
  });
});
