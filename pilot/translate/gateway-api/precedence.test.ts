// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { document, GATEWAY, httpRoute, routed, service, to } from "../../../test/support/gateway-api.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const SERVICES = NAMES.map((name) => service(name)).join("");
const rule = (name: string, match: object) => ({ matches: [match], backendRefs: [to(name)] });
const prefix = (value: string) => ({ path: { type: "PathPrefix", value } });

describe("the precedence of the Gateway API", () => {
  it("prefers an exact path, then the longest prefix, a method, most headers and most parameters", () => {
    const text =
      GATEWAY +
      SERVICES +
      httpRoute([
        rule("a", prefix("/")),
        rule("b", prefix("/x")),
        rule("c", { ...prefix("/x"), headers: [{ name: "k", value: "1" }] }),
        rule("d", {
          ...prefix("/x"),
          queryParams: [
            { name: "q", value: "1" },
            { name: "p", value: "1" },
          ],
        }),
        rule("e", { ...prefix("/x"), method: "POST" }),
        rule("f", { path: { type: "Exact", value: "/x/y" } }),
      ]);
    for (const [asked, expected] of [
      [{ path: "/" }, "a=1"],
      [{ path: "/x" }, "b=1"],
      [{ path: "/xy" }, "a=1"],
      [{ path: "/x/" }, "b=1"],
      [{ path: "/x/z", headers: { k: "1" } }, "c=1"],
      [{ path: "/x/z", query: "?q=1&p=1" }, "d=1"],
      [{ path: "/x/z", query: "?q=1&p=1", headers: { k: "1" } }, "c=1"],
      [{ path: "/x/z", query: "?q=1" }, "b=1"],
      [{ path: "/x/z", headers: { k: "1" }, method: "POST" }, "e=1"],
      [{ path: "/x/y", headers: { k: "1" }, method: "POST" }, "f=1"],
      [{ path: "/x/y/" }, "b=1"],
    ] as const)
      assert.equal(routed(text, asked), expected, JSON.stringify(asked));
  });

  it("holds across routes, and prefers the first of equal ones", () => {
    const text =
      GATEWAY +
      SERVICES +
      httpRoute([rule("a", prefix("/"))], {}, "first") +
      httpRoute([rule("b", prefix("/long")), rule("c", prefix("/"))], {}, "second");
    assert.equal(routed(text, { path: "/long/x" }), "b=1");
    assert.equal(routed(text, { path: "/x" }), "a=1");
  });

  it("gives the most exact host its own routes alone", () => {
    const text =
      GATEWAY +
      SERVICES +
      httpRoute([rule("a", prefix("/"))], { hostnames: ["*.example.com"] }, "wide") +
      httpRoute([rule("b", prefix("/b"))], { hostnames: ["a.example.com"] }, "exact");
    assert.equal(routed(text, { host: "z.example.com", path: "/b" }), "a=1");
    assert.equal(routed(text, { host: "a.example.com:8080", path: "/b" }), "b=1");
    assert.equal(routed(text, { host: "a.example.com", path: "/" }), "404");
    assert.equal(routed(text, { host: "other.test", path: "/" }), "404");
  });

  it("places calls by the length of service and method", () => {
    const grpc = (name: string, method: object | undefined) => ({
      ...(method === undefined ? {} : { matches: [{ method }] }),
      backendRefs: [to(name)],
    });
    const text =
      GATEWAY +
      SERVICES +
      document("GRPCRoute", "g", {
        parentRefs: [{ name: "gw" }],
        rules: [
          grpc("a", undefined),
          grpc("b", { method: "Get" }),
          grpc("c", { service: "shop.Reviews" }),
          grpc("d", { service: "shop.Reviews", method: "Get" }),
          grpc("e", { type: "RegularExpression", service: "shop\\.(Books|Toys)" }),
        ],
      });
    const call = (path: string) => routed(text, { path, method: "POST" });
    assert.equal(call("/shop.Reviews/Get"), "d=1");
    assert.equal(call("/shop.Reviews/Put"), "c=1");
    assert.equal(call("/shop.Other/Get"), "b=1");
    assert.equal(call("/shop.Other/Put"), "a=1");
    assert.equal(call("/shop.Toys/Put"), "e=1");
    assert.equal(call("/shopXToys/Put"), "a=1");
  });

  it("is the brute-force order for random prefixes, whatever order they are written in", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "ab"), { maxLength: 3 })
      .map((parts) => `/${parts.join("/")}`);
    fc.assert(
      fc.property(
        fc.uniqueArray(path, { minLength: 1, maxLength: NAMES.length }),
        path,
        (prefixes, asked) => {
          const text =
            GATEWAY +
            SERVICES +
            httpRoute(prefixes.map((value, index) => rule(NAMES[index] as string, prefix(value))));
          const covers = (value: string) => value === "/" || asked === value || asked.startsWith(`${value}/`);
          const [best] = prefixes.filter(covers).toSorted((a, b) => b.length - a.length);
          const expected = best === undefined ? "404" : `${NAMES[prefixes.indexOf(best)]}=1`;
          assert.equal(routed(text, { path: asked }), expected);
        },
      ),
      { numRuns: 100 },
    );
  });
});
