// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type LineTable, withModuleLine } from "./module-lines.ts";

const BUNDLE = "/srv/dist/purser.cjs";
const TABLE: LineTable = { sources: ["cli/main.js", "../x.js"], runs: [10, 0, 3, 20, 1, 7] };

describe("the lines of modules in the bundle", () => {
  for (const [frame, expected] of [
    [`main (${BUNDLE}:10:5)`, "main (/srv/dist/cli/main.js:3)"],
    [`async main (${BUNDLE}:19:5)`, "async main (/srv/dist/cli/main.js:12)"],
    [`${BUNDLE}:20:1`, "/srv/x.js:7"],
    [`main (${BUNDLE}:9:5)`, `main (${BUNDLE}:9:5)`],
    ["f (/srv/other.js:12:3)", "f (/srv/other.js:12:3)"],
    [`eval at f (${BUNDLE}:11:2), <anonymous>:1:1`, "eval at f (/srv/dist/cli/main.js:4), <anonymous>:1:1"],
  ] as const)
    it(`shows ${frame}`, () => assert.equal(withModuleLine(frame, BUNDLE, TABLE), expected));

  it("leaves frames alone without a table", () => {
    const frame = `main (${BUNDLE}:10:5)`;
    assert.equal(withModuleLine(frame, BUNDLE, { sources: [], runs: [] }), frame);
  });
});
