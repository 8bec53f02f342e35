// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { canonicalBag, type PartialBag } from "./canonical-bag.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";

/** The group `request` of the bag, as JSON has it. */
function requestOf(request: PartialBag): Readonly<Record<string, unknown>> {
  const bag = canonicalBag({ request }, "MERGE_SLASHES");
  assert.ok(!(bag instanceof Malformed), bag instanceof Malformed ? bag.reason : "");
  return JSON.parse(JSON.stringify(bag["request"])) as Readonly<Record<string, unknown>>;
}

describe("a handwritten bag", () => {
  it("gets the attributes that a proxy takes from the path", () => {
    assert.deepEqual(requestOf({ path: "//a/../b?x=1&x=2&y=%41" }), {
      path: "/b?x=1&x=2&y=%41",
      url_path: "/b",
      query_params: { x: "1", y: "A" },
      repeated_query_params: { x: ["1", "2"] },
    });
    assert.deepEqual(requestOf({ path: "/b" }), { path: "/b", url_path: "/b", query_params: {} });
  });

  it("gets the attributes that a proxy takes from headers, whatever their case", () => {
    const headers = { Host: "Reviews:8080", "User-Agent": ["a", "b"], referer: "there" };
    assert.deepEqual(requestOf({ headers }), {
      headers: { host: "Reviews:8080", "user-agent": "a, b", referer: "there" },
      repeated_headers: { "user-agent": ["a", "b"] },
      host: "reviews",
      port: 8080,
      useragent: "a, b",
      referer: "there",
    });
  });

  it("keeps what is written, and gets nothing of what is not", () => {
    const written = { path: "/a?x=1", url_path: "/c", query_params: null, host: "h:1", port: 2 };
    assert.deepEqual(requestOf({ ...written, headers: { host: "other" } }), {
      ...written,
      host: "h",
      headers: { host: "other" },
    });
    assert.deepEqual(requestOf({ url_path: "/a" }), { url_path: "/a" });
    assert.deepEqual(requestOf({ path: "*" }), { path: "*" });
    assert.deepEqual(requestOf({ path: 7, headers: { host: 7 } }), { path: 7, headers: { host: 7 } });
  });

  it("is refused for a path or host that no request has", () => {
    for (const request of [{ path: "/a#b" }, { path: "/%00" }, { headers: { host: "a b" } }])
      assert.ok(canonicalBag({ request }, "MERGE_SLASHES") instanceof Malformed, JSON.stringify(request));
  });
});
