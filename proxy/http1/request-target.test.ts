// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { isAuthority, parseQuery, parseRequestTarget } from "./request-target.ts";

describe("request targets", () => {
  it("normalizing twice is the same as once, and leaves no dot segment", () => {
    const piece = fc.constantFrom("/", "a", ".", "..", "%2e", "%2E%2e", "\\", "%2f", "%41", "%zz", "//");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const once = parseRequestTarget(`/${pieces.join("")}`)?.path ?? "";
        assert.equal(parseRequestTarget(once)?.path, once);
        assert.doesNotMatch(once, /\/\.\.?(\/|$)/);
        assert.ok(once.startsWith("/"));
      }),
    );
  });

  it("absolute targets bring their authority", () => {
    assert.deepEqual(parseRequestTarget("http://a:81/b?c"), { path: "/b", query: "?c", authority: "a:81" });
    assert.deepEqual(parseRequestTarget("HTTP://a"), { path: "/", query: "", authority: "a" });
    assert.deepEqual(parseRequestTarget("http://a?c"), { path: "/", query: "?c", authority: "a" });
    for (const bad of ["http:///b", "http://u@a/", "ftp://a/", "a:80", "*", ""]) {
      assert.equal(parseRequestTarget(bad), undefined, bad);
    }
  });

  it("authorities are hosts with at most a port", () => {
    for (const good of ["a", "a.b:80", "[::1]:80", "10.0.0.1", "a_b", ""]) assert.ok(isAuthority(good), good);
    for (const bad of ["a b", "a/b", "a@b", "a,b", "a:b", "::1", "a".repeat(300)])
      assert.ok(!isAuthority(bad), bad);
  });

  it("queries are decoded, and the first of several values counts", () => {
    assert.deepEqual({ ...parseQuery("?a=1&a=2&b=%20+&c") }, { a: "1", b: "  ", c: "" });
    assert.equal(parseQuery("?__proto__=x")["__proto__"], "x");
    assert.deepEqual({ ...parseQuery("") }, {});
  });
});
