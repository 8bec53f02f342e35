// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readBuiltInManifest } from "./built-in-manifest.ts";

describe("the built-in attribute manifest", () => {
  it("is found, and has no fault", () => {
    const { documents, diagnostics } = readBuiltInManifest();
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      documents.map(({ definition }) => definition.kind),
      ["AttributeManifest"],
    );
  });
});
