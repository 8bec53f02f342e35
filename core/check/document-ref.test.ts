// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { formatDocumentRef, parseDocumentRef, quotaPolicyRef } from "./document-ref.ts";

describe("a document's reference", () => {
  it("is parsed from its text, with a namespace and without", () => {
    for (const ref of [quotaPolicyRef("q"), { kind: "AccessPolicy", name: "shop/login" }])
      assert.deepEqual(parseDocumentRef(formatDocumentRef(ref)), ref);
    assert.equal(formatDocumentRef({ kind: "AccessPolicy", name: "shop/login" }), "AccessPolicy/shop/login");
  });

  it("is not parsed from a text without kind or name", () => {
    for (const text of ["", "/", "q", "/q", "QuotaPolicy/"]) assert.equal(parseDocumentRef(text), undefined);
  });
});
