// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { localShare } from "./local-share.ts";

describe("localShare", () => {
  const cases: readonly (readonly [limit: number, nodes: number, share: number])[] = [
    [100, 1, 100],
    [100, 3, 33],
    [2, 3, 1],
    [0, 3, 0],
    [100, 0, 100],
  ];
  for (const [limit, nodes, share] of cases) {
    it(`gives each of ${nodes} nodes ${share} of ${limit}`, () =>
      assert.equal(localShare(limit, nodes), share));
  }
});
