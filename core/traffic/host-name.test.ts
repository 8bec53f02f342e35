// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  canonicalHost,
  compareExactness,
  hostAliases,
  hostCovers,
  hostIntersection,
  resolveHost,
  splitHost,
} from "./host-name.ts";

describe("host names", () => {
  it("canonicalizes every spelling of a service's host", () => {
    for (const host of ["reviews", "reviews.shop", "reviews.shop.svc", "reviews.shop.svc.cluster.local"]) {
      assert.equal(canonicalHost(host, "shop"), "reviews.shop.svc.cluster.local", host);
    }
  });

  it("keeps internet names and wildcards unchanged", () => {
    for (const host of ["example.com", "api.example.com", "a.b.svc.example", "*", "*.example.com"]) {
      assert.equal(canonicalHost(host, "shop"), host);
    }
  });

  it("finds a service by NAME.NAMESPACE from another namespace, and not by its bare name", () => {
    const services = new Map([["reviews.shop.svc.cluster.local", "found"]]);
    assert.equal(resolveHost(services, "reviews.shop", "elsewhere"), "found");
    assert.equal(resolveHost(services, "reviews.shop.svc", "elsewhere"), "found");
    assert.equal(resolveHost(services, "reviews", "elsewhere"), undefined);
    assert.equal(resolveHost(services, "reviews", "shop"), "found");
  });

  it("covers the names below a wildcard's suffix and not the suffix itself", () => {
    assert.ok(hostCovers("*.example.com", "a.example.com"));
    assert.ok(hostCovers("*.example.com", "a.b.example.com"));
    assert.ok(hostCovers("*.example.com", "*.b.example.com"));
    assert.ok(hostCovers("*", "*.example.com"));
    assert.ok(!hostCovers("*.example.com", "example.com"));
    assert.ok(!hostCovers("*.example.com", "badexample.com"));
    assert.ok(!hostCovers("a.example.com", "*.example.com"));
  });

  it("intersects hosts to the more exact one, in either order", () => {
    const cases = [
      ["*", "a.example.com", "a.example.com"],
      ["*.example.com", "a.example.com", "a.example.com"],
      ["*.example.com", "*.b.example.com", "*.b.example.com"],
      ["a.example.com", "b.example.com", undefined],
      ["*.example.com", "*.example.org", undefined],
    ] as const;
    for (const [a, b, common] of cases) {
      assert.equal(hostIntersection(a, b), common);
      assert.equal(hostIntersection(b, a), common);
    }
  });

  it("orders exact hosts before longer suffixes, shorter suffixes and the star", () => {
    const hosts = ["*", "*.com", "*.example.com", "z.example.com"];
    assert.deepEqual(hosts.toSorted(compareExactness), hosts.toReversed());
  });

  it("offers a service's bare name only in its own namespace", () => {
    assert.deepEqual(hostAliases("reviews", "shop", "shop"), [
      "reviews",
      "reviews.shop",
      "reviews.shop.svc",
      "reviews.shop.svc.cluster.local",
    ]);
    assert.deepEqual(hostAliases("reviews.shop.svc", "shop", "elsewhere"), [
      "reviews.shop.svc",
      "reviews.shop",
      "reviews.shop.svc.cluster.local",
    ]);
    assert.deepEqual(hostAliases("api.example.com", "shop", "shop"), ["api.example.com"]);
  });

  it("splits a service's host into name and namespace, with the document's namespace as the default", () => {
    assert.deepEqual(splitHost("reviews.shop.svc.cluster.local", "x"), {
      name: "reviews",
      namespace: "shop",
    });
    assert.deepEqual(splitHost("api.example.com", "x"), { name: "api", namespace: "x" });
  });
});
