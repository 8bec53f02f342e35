// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { PathRewrite, RouteMatch } from "./resources/route.ts";
import { redirectLocation, rewritePath } from "./request-target.ts";

const matchOf = (path: RouteMatch["path"]): RouteMatch => ({
  ...(path === undefined ? {} : { path }),
  ignoreCase: false,
  headers: {},
  withoutHeaders: {},
  queryParams: {},
});

const rewritten = (path: string, prefix: string, value: string) =>
  rewritePath(path, { kind: "prefix", value }, matchOf({ kind: "prefix", value: prefix }));

describe("path rewriting", () => {
  it("replaces the prefix that matched", () => {
    assert.equal(rewritten("/ratings/1", "/ratings", "/v1"), "/v1/1");
    assert.equal(rewritten("/ratings", "/ratings", "/v1"), "/v1");
    assert.equal(rewritten("/ratings/", "/ratings", "/v1"), "/v1/");
    assert.equal(rewritten("/ratings/1", "/ratings/", "/v1/"), "/v1/1");
    assert.equal(rewritten("/ratings-old/1", "/ratings", "/v1"), "/v1-old/1");
  });

  it("puts exactly one slash where the parts meet, unlike Envoy's concatenation", () => {
    assert.equal(rewritten("/x", "/", "/v1"), "/v1/x");
    assert.equal(rewritten("/", "/", "/v1"), "/v1");
    assert.equal(rewritten("/ratings/1", "/ratings", "/"), "/1");
    assert.equal(rewritten("/ratings/1", "/ratings/", "/v1"), "/v1/1");
    assert.equal(rewritten("/ratings", "/ratings", "/"), "/");
  });

  it("keeps paths absolute, and never doubles a slash", () => {
    const segment = fc.stringMatching(/^[a-z]{1,5}$/);
    const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join("/")}`);
    fc.assert(
      fc.property(
        path,
        path,
        path,
        fc.boolean(),
        fc.boolean(),
        (prefix, rest, value, slashAfterPrefix, slashAfterValue) => {
          const fullPrefix = slashAfterPrefix && prefix !== "/" ? `${prefix}/` : prefix;
          const fullValue = slashAfterValue && value !== "/" ? `${value}/` : value;
          const target = fullPrefix.endsWith("/") ? fullPrefix + rest.slice(1) : fullPrefix + rest;
          const result = rewritten(target, fullPrefix, fullValue);
          assert.ok(result.startsWith("/") && !result.includes("//"), `${target} became ${result}`);
          assert.ok(result.startsWith(value));
        },
      ),
    );
  });

  it("replaces the whole path when the match was no prefix, and does not treat it as the prefix /", () => {
    const rewrite: PathRewrite = { kind: "prefix", value: "/new" };
    assert.equal(rewritePath("/old/1", rewrite, matchOf({ kind: "exact", value: "/old/1" })), "/new");
    assert.equal(rewritePath("/old/1", rewrite, matchOf({ kind: "regex", value: "/old/.*" })), "/new");
    assert.equal(rewritePath("/old/1", rewrite, matchOf(undefined)), "/new/old/1");
    assert.equal(rewritePath("/old/1", rewrite, undefined), "/new/old/1");
    assert.equal(rewritePath("/old/1", { kind: "whole", value: "/new" }, undefined), "/new");
  });

  it("removes the length of the prefix when case is ignored", () => {
    const match = { ...matchOf({ kind: "prefix", value: "/ratings" }), ignoreCase: true };
    assert.equal(rewritePath("/RATINGS/One", { kind: "prefix", value: "/v1" }, match), "/v1/One");
  });
});

describe("redirects", () => {
  const request = {
    scheme: "http",
    authority: "shop.example.com:8080",
    path: "/a/b",
    query: "?c=d",
  } as const;

  it("replaces the parts that the route gives and keeps the rest", () => {
    const location = (action: object) =>
      redirectLocation({ kind: "redirect", code: 301, ...action }, request);
    assert.equal(location({ path: "/new" }), "http://shop.example.com:8080/new?c=d");
    assert.equal(location({ path: "/new?x=y" }), "http://shop.example.com:8080/new?x=y");
    assert.equal(location({ authority: "other.example.com" }), "http://other.example.com/a/b?c=d");
    assert.equal(location({ port: 8443, scheme: "https" }), "https://shop.example.com:8443/a/b?c=d");
    assert.equal(location({ authority: "[::1]:80", port: 81 }), "http://[::1]:81/a/b?c=d");
  });

  it("derives the port of the scheme, or of the request", () => {
    const cases: readonly (readonly [authority: string, action: object, expected: string])[] = [
      ["shop:8080", { derivePort: "scheme" }, "http://shop/"],
      ["shop", { derivePort: "scheme", scheme: "https" }, "https://shop/"],
      ["shop:8080", { derivePort: "scheme", authority: "other:81" }, "http://other/"],
      ["[::1]:8080", { derivePort: "scheme" }, "http://[::1]/"],
      ["shop:8080", { derivePort: "request" }, "http://shop:8080/"],
      ["shop:8080", { derivePort: "request", authority: "other" }, "http://other:8080/"],
      ["shop:8080", { derivePort: "request", authority: "other:81" }, "http://other:8080/"],
      ["[::1]:8080", { derivePort: "request", authority: "[::2]" }, "http://[::2]:8080/"],
      ["shop", { derivePort: "request", authority: "other" }, "http://other/"],
      ["shop:80", { derivePort: "request", authority: "other" }, "http://other/"],
      ["shop:443", { derivePort: "request", scheme: "https" }, "https://shop/"],
      ["shop", { derivePort: "request", scheme: "https" }, "https://shop:80/"],
      ["shop:443", { derivePort: "request" }, "http://shop:443/"],
    ];
    for (const [authority, action, expected] of cases)
      assert.equal(
        redirectLocation(
          { kind: "redirect", code: 301, ...action },
          { scheme: "http", authority, path: "/", query: "" },
        ),
        expected,
        `${authority} ${JSON.stringify(action)}`,
      );
  });

  it("has no path for OPTIONS *", () => {
    const location = (action: object) =>
      redirectLocation({ kind: "redirect", code: 301, ...action }, { ...request, path: "*", query: "" });
    assert.equal(location({ authority: "other" }), "http://other");
    assert.equal(location({ path: "/new" }), "http://shop.example.com:8080/new");
  });

  it("drops the old scheme's default port when the scheme changes, and no other", () => {
    const toHttps = (authority: string) =>
      redirectLocation({ kind: "redirect", code: 301, scheme: "https" }, { ...request, authority });
    assert.equal(toHttps("shop:80"), "https://shop/a/b?c=d");
    assert.equal(toHttps("shop:8080"), "https://shop:8080/a/b?c=d");
    assert.equal(
      redirectLocation({ kind: "redirect", code: 301, path: "/x" }, { ...request, authority: "shop:80" }),
      "http://shop:80/x?c=d",
    );
  });
});
