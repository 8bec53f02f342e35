// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatSpiffeId,
  parseServiceAccount,
  parseSpiffeId,
  serviceAccountOf,
  spiffeIdFault,
  workloadIdOf,
} from "./spiffe-id.ts";

const LONG_DOMAIN = "d".repeat(255);

describe("SPIFFE ids", () => {
  // The rules of the SPIFFE-ID specification, sections 2.1 to 2.3.
  const valid = [
    "spiffe://cluster.local/ns/shop/sa/cart",
    "spiffe://cluster.local",
    "spiffe://a/b",
    "spiffe://1.2.3.4/service",
    "spiffe://my_domain-1.example/A.b-c_d/...",
    `spiffe://${LONG_DOMAIN}/x`,
    `spiffe://d/${"x".repeat(2_048 - 11)}`,
  ];
  for (const id of valid)
    it(`accept ${id.slice(0, 60)}`, () => {
      assert.equal(spiffeIdFault(id), undefined);
      assert.equal(formatSpiffeId(parseSpiffeId(id) as never), id);
    });

  const invalid: readonly (readonly [string, RegExp])[] = [
    ["", /does not begin/],
    ["http://a/b", /does not begin/],
    ["SPIFFE://a/b", /does not begin/],
    ["spiffe:/a/b", /does not begin/],
    [" spiffe://a/b", /does not begin/],
    ["spiffe://", /no trust domain/],
    ["spiffe:///b", /no trust domain/],
    ["spiffe://Cluster.local/b", /trust domain has characters/],
    ["spiffe://a:8080/b", /trust domain has characters/],
    ["spiffe://user@a/b", /trust domain has characters/],
    ["spiffe://bücher/b", /trust domain has characters/],
    ["spiffe://[::1]/b", /trust domain has characters/],
    ["spiffe://a%2e/b", /trust domain has characters/],
    [`spiffe://${LONG_DOMAIN}d/x`, /more than 255/],
    ["spiffe://a/", /empty segment/],
    ["spiffe://a//b", /empty segment/],
    ["spiffe://a/b/", /empty segment/],
    ["spiffe://a/./b", /segment '\.'/],
    ["spiffe://a/b/..", /segment '\.'/],
    ["spiffe://a/%2e%2e", /path has characters/],
    ["spiffe://a/b c", /path has characters/],
    ["spiffe://a/b\n", /path has characters/],
    ["spiffe://a/ü", /path has characters/],
    ["spiffe://a/b?c=d", /path has characters/],
    ["spiffe://a/b#c", /path has characters/],
    ["spiffe://a?b", /trust domain has characters/],
    [`spiffe://d/${"x".repeat(2_048)}`, /more than 2048/],
  ];
  for (const [id, fault] of invalid)
    it(`refuse ${JSON.stringify(id.slice(0, 60))}`, () => {
      assert.match(spiffeIdFault(id) ?? "accepted", fault);
      assert.equal(parseSpiffeId(id), undefined);
    });

  it("are the same after parsing and formatting, whatever their parts", () => {
    const segment = fc
      .stringMatching(/^[a-zA-Z0-9._-]{1,20}$/)
      .filter((text) => text !== "." && text !== "..");
    const parts = fc.record({
      trustDomain: fc.stringMatching(/^[a-z0-9._-]{1,30}$/),
      path: fc
        .array(segment, { maxLength: 5 })
        .map((segments) => segments.map((each) => `/${each}`).join("")),
    });
    fc.assert(fc.property(parts, (id) => assert.deepEqual(parseSpiffeId(formatSpiffeId(id)), { ...id })));
  });

  it("are never accepted with a character that the specification does not allow", () => {
    const id = "spiffe://cluster.local/ns/shop/sa/cart";
    fc.assert(
      fc.property(
        fc.nat(id.length - 9),
        fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
        (at, unit) => {
          const changed = id.slice(0, at + 9) + unit + id.slice(at + 9);
          if (spiffeIdFault(changed) === undefined) assert.match(unit, /^[a-zA-Z0-9._/-]$/);
        },
      ),
    );
  });

  it("of service accounts have Istio's form, in both directions", () => {
    const account = { namespace: "shop", name: "cart.v2" };
    const id = workloadIdOf("cluster.local", account);
    assert.equal(id, "spiffe://cluster.local/ns/shop/sa/cart.v2");
    assert.deepEqual(serviceAccountOf(parseSpiffeId(id) as never), account);
    for (const path of [
      "",
      "/ns/shop",
      "/ns/shop/sa/cart/x",
      "/sa/cart/ns/shop",
      "/ns/Shop/sa/cart",
      "/ns/-/sa/a",
    ])
      assert.equal(serviceAccountOf({ trustDomain: "a", path }), undefined, path);
  });

  it("of service accounts are named NAMESPACE/NAME on the command line", () => {
    assert.deepEqual(parseServiceAccount("shop/cart"), { namespace: "shop", name: "cart" });
    for (const text of [
      "",
      "cart",
      "/cart",
      "shop/",
      "shop/a/b",
      "shop/Cart",
      "shop/..",
      "a b/c",
      `${"n".repeat(64)}/a`,
    ])
      assert.equal(parseServiceAccount(text), undefined, text);
  });
});
