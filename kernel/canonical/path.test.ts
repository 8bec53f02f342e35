// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Malformed } from "./malformed.ts";
import { canonicalPath, PATH_NORMALIZATIONS, type PathNormalization } from "./path.ts";

const merged = (path: string) => canonicalPath(path, "MERGE_SLASHES");

describe("the canonical form of a path", () => {
  it("is the same for every spelling of a path", () => {
    for (const path of [
      "/admin",
      "/./admin",
      "/x/../admin",
      "/x/%2e%2E/admin",
      "/x\\..\\admin",
      "/%61dmin",
      "/../admin",
      "//admin",
      "/\\admin",
    ])
      assert.equal(merged(path), "/admin", path);
  });

  it("keeps escapes of reserved characters, and segments that only look like dot segments", () => {
    for (const path of [
      "/",
      "/a%2Fb",
      "/a%20b",
      "/.well-known/x",
      "/a..b",
      "/...",
      "/%2561dmin",
      "/a;b=1",
      "/a/",
    ])
      assert.equal(merged(path), path);
    assert.equal(merged("/a/.."), "/");
    assert.equal(merged("/a/."), "/a/");
    // Envoy's order: dot segments are resolved before slashes are merged.
    assert.equal(merged("/a//../b"), "/a/b");
  });

  it("escapes characters that a path may not have", () => {
    for (const path of ["/caf\u00c3\u00a9", "/caf%c3%a9", "/caf%C3%A9"])
      assert.equal(merged(path), "/caf%C3%A9");
    assert.equal(merged('/{a}|"<b>'), "/%7Ba%7D%7C%22%3Cb%3E");
    assert.equal(merged("/\u0141"), "/%C5%81");
  });

  it("follows the normalization setting", () => {
    const path = "/a%2fb\\\\c//d/../%65";
    assert.deepEqual(
      PATH_NORMALIZATIONS.map((normalization) => canonicalPath(path, normalization)),
      [path, "/a%2Fb//c//e", "/a%2Fb/c/e", "/a/b/c/e"],
    );
    assert.equal(canonicalPath("/x%2F..%5cadmin", "DECODE_AND_MERGE_SLASHES"), "/admin");
  });

  it("is Malformed for paths that servers read differently", () => {
    for (const path of [
      "/%%361dmin",
      "/x/%%32e%%32e/admin",
      "/a%zz",
      "/a%",
      "/a%4",
      "/%00",
      "/a%0d%0ab",
      "/a%7f",
      "/a\u0001",
      "/x/..;/admin",
      "/x/.;a=b/y",
      "/x/..%3b/admin",
      "/a%2F..%2Fb",
      "/a/..%2fadmin",
      "/a%5C..",
      "/%c0%afadmin",
      "/%c0%ae%c0%ae/admin",
      "/%e0%80%af",
      "/%f0%80%80%af",
      "/\u00c0\u00af",
    ])
      assert.ok(merged(path) instanceof Malformed, path);
  });

  it("is idempotent, and resolves as the platform's URL resolves the original path", () => {
    const piece = fc.constantFrom(
      "/",
      "a",
      "A",
      ".",
      "..",
      "%2e",
      "%2E%2e",
      "\\",
      "%2f",
      "%5C",
      "%41",
      "%zz",
      "%",
      "%25",
      "36",
      "1",
      "//",
      ";",
      "%3b",
      "%00",
      "%c0%ae",
      "\u00e9",
      "%C3",
      "%a9",
      "\u0141",
      "{",
      " ",
      "~",
    );
    const normalization = fc.constantFrom<PathNormalization>(...PATH_NORMALIZATIONS);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), normalization, (pieces, how) => {
        const once = canonicalPath(`/${pieces.join("")}`, how);
        if (once instanceof Malformed) return;
        assert.equal(canonicalPath(once, how), once);
        if (how === "NONE") return;
        assert.match(once, /^\/(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/);
        assert.doesNotMatch(once, /(?:\/|%2F|%5C)\.\.?(?:[/;]|%2F|%5C|%3B|$)/);
        assert.doesNotMatch(once, /%(?:[01]|7F|2D|2E|3\d|4[1-9A-F]|5[0-9A]|5F|6[1-9A-F]|7[0-9A]|7E)/);
        if (how !== "BASE") assert.doesNotMatch(once, /\/\//);
        if (how === "DECODE_AND_MERGE_SLASHES") assert.doesNotMatch(once, /%2F|%5C/);
      }),
      { numRuns: 3_000 },
    );
  });
});
