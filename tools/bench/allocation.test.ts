// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { measureAllocation } from "./allocation.ts";

describe("the allocation of an operation", () => {
  // An array of a thousand numbers: eight bytes each, and a header.
  const numbers = Array.from({ length: 1_000 }, (_, index) => index + 0.5);
  const keep: unknown[] = [];
  const allocate = (): unknown => {
    const array = numbers.slice();
    keep[0] = array;
    return array;
  };

  it("is counted across garbage collections", async () => {
    const { bytesPerTurn, collections } = await measureAllocation(allocate, 20_000, { seen: 0 });
    assert.ok(bytesPerTurn > 7_500 && bytesPerTurn < 18_000, `${bytesPerTurn}`);
    assert.ok(collections > 0);
  });

  it("is almost zero for an operation that allocates nothing", async () => {
    const { bytesPerTurn } = await measureAllocation(() => true, 20_000, { seen: 0 });
    assert.ok(bytesPerTurn < 200, `${bytesPerTurn}`);
  });
});
