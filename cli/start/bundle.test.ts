// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileBundle } from "./bundle.ts";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

describe("the bundle", () => {
  // V8 compares its version and flags. Made with other flags than those of a start, the cache would be of no use to any.
  it("has a code cache that V8 accepts at a start", function () {
    if (!existsSync(`${DIST}purser.cjs.cache`)) this.skip();
    const script = compileBundle(DIST, readFileSync(`${DIST}purser.cjs.cache`));
    assert.equal(script.cachedDataRejected, false);
  });
});
