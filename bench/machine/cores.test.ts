// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { parseCores } from "./cores.ts";

describe("the list of a process's cores", () => {
  it("is read as Linux writes it", () => {
    assert.deepEqual(parseCores("0-2,5\n"), [0, 1, 2, 5]);
    assert.deepEqual(parseCores("3"), [3]);
    assert.deepEqual(parseCores(""), []);
  });
});
