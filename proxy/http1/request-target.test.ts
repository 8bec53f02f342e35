// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { isAuthority, parseQuery, parseRequestTarget } from "./request-target.ts";

describe("request targets", () => {
  it("paths are normalized, and queries left alone", () => {
    assert.deepEqual(parseRequestTarget("/a/../%62?/../%62"), { path: "/b", query: "?/../%62" });
    assert.deepEqual(parseRequestTarget("http://a/./b"), { path: "/b", query: "", authority: "a" });
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
