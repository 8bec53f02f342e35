// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { disagreements } from "./agreement.ts";
import { BAGS, CASES } from "./corpus/index.ts";
import { enginesFor } from "./engines.ts";

describe("the corpus of policy expressions", () => {
  it("has at least 45 expressions, each with a name of its own", () => {
    assert.ok(CASES.length >= 45, `${CASES.length}`);
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
    assert.equal(new Set(CASES.map(({ source }) => source)).size, CASES.length);
  });

  for (const example of CASES) {
    it(`gives jsonata's value: ${example.name}`, async () => {
      assert.deepEqual(await disagreements(example, enginesFor(example), BAGS), []);
    });
  }

  it("detects engines that differ", async () => {
    const engines = { engine: "compiled", ours: () => "GET", theirs: () => Promise.resolve("PUT") } as const;
    const lines = await disagreements({ name: "x", source: "y" }, engines, [{}]);
    assert.deepEqual(lines, ['x: y, bag 0: ours {"value":"GET"}, jsonata {"value":"PUT"}']);
  });
});
