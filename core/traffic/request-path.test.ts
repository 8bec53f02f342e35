// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { normalizePath } from "./request-path.ts";

describe("paths", () => {
  it("are read as they are meant, however they are written", () => {
    for (const path of [
      "/admin",
      "/./admin",
      "/x/../admin",
      "/x/%2e%2E/admin",
      "/x\\..\\admin",
      "/%61dmin",
      "/../admin",
    ]) {
      assert.equal(normalizePath(path), "/admin", path);
    }
  });

  it("keep what might mean something else: escaped and doubled slashes, and escapes of reserved characters", () => {
    for (const path of [
      "/",
      "/a//b",
      "/a%2Fb",
      "/a%2fb",
      "/a%20b",
      "/a%zz",
      "/.well-known/x",
      "/a..b",
      "/é",
    ]) {
      assert.equal(normalizePath(path), path);
    }
    assert.equal(normalizePath("/a/.."), "/");
    assert.equal(normalizePath("/a/."), "/a/");
  });

  it("are the same normalized twice as once, and have no dot segment then", () => {
    const piece = fc.constantFrom("/", "a", ".", "..", "%2e", "%2E%2e", "\\", "%2f", "%41", "%zz", "//");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const once = normalizePath(`/${pieces.join("")}`);
        assert.equal(normalizePath(once), once);
        assert.doesNotMatch(once, /\/\.\.?(\/|$)/);
        assert.ok(once.startsWith("/"));
      }),
    );
  });
});
