// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Authority, parseAuthority } from "../../kernel/canonical/authority.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { NO_HEADER_OPERATIONS, type Route, type RouteMatch, type VirtualHost } from "./resources/route.ts";
import type { RouteRequest } from "./route-match.ts";
import { compileRouteTable, matchRoute } from "./route-table.ts";

const route = (name: string, ...matches: Partial<RouteMatch>[]): Route => ({
  name,
  matches: matches.map((match) => ({
    ignoreCase: false,
    headers: {},
    withoutHeaders: {},
    queryParams: {},
    ...match,
  })),
  action: { kind: "direct", status: 200, body: "", contentType: "text/plain" },
  requestHeaders: NO_HEADER_OPERATIONS,
  responseHeaders: NO_HEADER_OPERATIONS,
});

const host = (domains: readonly string[], ...routes: Route[]): VirtualHost => ({
  name: domains.join(),
  domains,
  routes: routes.length === 0 ? [route("any")] : routes,
});

const request = (
  fields: Partial<Omit<RouteRequest, "authority" | "headers">> & {
    authority?: string;
    headers?: Record<string, string | readonly string[]>;
  } = {},
): RouteRequest => ({
  path: "/",
  query: "",
  method: "GET",
  ...fields,
  authority: parseAuthority(fields.authority ?? "a") as Authority,
  headers: { values: (name) => [fields.headers?.[name] ?? []].flat() },
});

/** The name of the matching route in a table of one virtual host. */
function taken(routes: readonly Route[], fields: Parameters<typeof request>[0]): string | undefined {
  const table = compileRouteTable({ name: "t", virtualHosts: [host(["*"], ...routes)] });
  return matchRoute(table, request(fields))?.route.name;
}

describe("route tables", () => {
  const table = compileRouteTable({
    name: "t",
    virtualHosts: [
      host(["*"]),
      host(["*.com"]),
      host(["*.example.com"]),
      host(["a.example.com", "a"]),
      host(["a.example.com:9090"]),
      host(["a", "late"]),
    ],
  });
  const found = (authority: string) => matchRoute(table, request({ authority }))?.virtualHost.name;

  it("prefer the exact domain with the port, then without, then the longest suffix, then the star", () => {
    assert.equal(found("a.example.com:9090"), "a.example.com:9090");
    assert.equal(found("A.Example.com:80"), "a.example.com,a");
    assert.equal(found("b.example.com"), "*.example.com");
    assert.equal(found("b.c.example.com:80"), "*.example.com");
    assert.equal(found("example.com"), "*.com");
    assert.equal(found("com"), "*");
    assert.equal(found("[::1]:80"), "*");
    assert.equal(found(""), "*");
  });

  it("give a domain to the first virtual host that claims it", () => {
    assert.equal(found("a"), "a.example.com,a");
    assert.equal(found("late"), "a,late");
  });

  it("try no other virtual host when the most specific one has no matching route", () => {
    const strict = compileRouteTable({
      name: "t",
      virtualHosts: [host(["*"]), host(["a"], route("x", { path: { kind: "exact", value: "/x" } }))],
    });
    assert.equal(matchRoute(strict, request({ authority: "a", path: "/y" })), undefined);
    assert.equal(matchRoute(strict, request({ authority: "b", path: "/y" }))?.route.name, "any");
  });

  it("agree with a linear search through all domains", () => {
    const label = fc.constantFrom("a", "b", "com");
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const domain = fc.oneof(
      name,
      name.map((suffix) => `*.${suffix}`),
      fc.constant("*"),
    );
    const rank = (pattern: string) => (pattern.startsWith("*") ? pattern.length : 1000);
    fc.assert(
      fc.property(fc.uniqueArray(domain, { maxLength: 8 }), name, (domains, authority) => {
        const compiled = compileRouteTable({ name: "t", virtualHosts: domains.map((each) => host([each])) });
        const [best] = domains
          .filter(
            (each) =>
              each === authority ||
              (each.startsWith("*") && authority.endsWith(each.slice(1)) && authority !== each.slice(1)),
          )
          .toSorted((x, y) => rank(y) - rank(x));
        assert.equal(matchRoute(compiled, request({ authority }))?.virtualHost.name, best);
      }),
    );
  });
});

describe("route matches", () => {
  it("are tried in order: the first matching route is used", () => {
    const routes = [
      route("one", { path: { kind: "prefix", value: "/a" } }),
      route("two", { path: { kind: "exact", value: "/a/b" } }),
      route("rest"),
    ];
    assert.equal(taken(routes, { path: "/a/b" }), "one");
    assert.equal(taken(routes, { path: "/c" }), "rest");
  });

  it("hold when any of a route's matches does, and return that match", () => {
    const either = route(
      "r",
      { path: { kind: "exact", value: "/a" } },
      { path: { kind: "prefix", value: "/b" } },
    );
    const compiled = compileRouteTable({ name: "t", virtualHosts: [host(["*"], either)] });
    assert.equal(matchRoute(compiled, request({ path: "/bc" }))?.match, either.matches[1]);
    assert.equal(matchRoute(compiled, request({ path: "/c" })), undefined);
  });

  it("require every condition of a match", () => {
    const routes = [
      route("r", { path: { kind: "exact", value: "/a" }, method: { kind: "exact", value: "POST" } }),
    ];
    assert.equal(taken(routes, { path: "/a", method: "POST" }), "r");
    assert.equal(taken(routes, { path: "/a", method: "GET" }), undefined);
    assert.equal(taken(routes, { path: "/b", method: "POST" }), undefined);
  });

  it("ignore the case of exact and prefix paths with ignoreCase", () => {
    const loose = (path: RouteMatch["path"] & object) => [route("r", { path, ignoreCase: true })];
    assert.equal(taken(loose({ kind: "exact", value: "/Admin" }), { path: "/aDMIN" }), "r");
    assert.equal(taken(loose({ kind: "prefix", value: "/Admin" }), { path: "/ADMIN/x" }), "r");
    assert.equal(taken(loose({ kind: "regex", value: "/admin" }), { path: "/ADMIN" }), undefined);
    assert.equal(
      taken([route("r", { path: { kind: "exact", value: "/Admin" } })], { path: "/admin" }),
      undefined,
    );
  });

  it("compare a regular expression with the whole value", () => {
    const routes = [route("r", { path: { kind: "regex", value: "/v[0-9]+" } })];
    assert.equal(taken(routes, { path: "/v12" }), "r");
    assert.equal(taken(routes, { path: "/v12/x" }), undefined);
    assert.equal(
      taken([route("r", { path: { kind: "regex", value: "/a|/b" } })], { path: "/bx" }),
      undefined,
    );
  });

  it("refuse an invalid regular expression when the table is compiled, not at a request", () => {
    const bad = host(["*"], route("r", { path: { kind: "regex", value: "(" } }));
    assert.throws(
      () => compileRouteTable({ name: "t", virtualHosts: [bad] }),
      (error) => isPurserError(error) && error.code === "PURSER_INTERNAL",
    );
  });

  it("match header names in any case, by value, and by presence", () => {
    const routes = [
      route("r", { headers: { "X-User": { kind: "exact", value: "ann" }, "x-any": { kind: "present" } } }),
    ];
    assert.equal(taken(routes, { headers: { "x-user": "ann", "x-any": "" } }), "r");
    assert.equal(taken(routes, { headers: { "x-user": "ann" } }), undefined);
    assert.equal(taken(routes, { headers: { "x-user": "bob", "x-any": "1" } }), undefined);
  });

  it("match a repeated header by any of its values, and by all of them joined", () => {
    const routes = (value: string) => [route("r", { headers: { "x-a": { kind: "exact", value } } })];
    const headers = { "x-a": ["1", "2"] };
    for (const value of ["1", "2", "1, 2"]) assert.equal(taken(routes(value), { headers }), "r", value);
    assert.equal(taken(routes("12"), { headers }), undefined);
    const without = route("r", { withoutHeaders: { "x-a": { kind: "exact", value: "2" } } });
    assert.equal(taken([without], { headers }), undefined);
  });

  it("match the authority without case", () => {
    const routes = [route("r", { headers: { ":authority": { kind: "exact", value: "Shop.Example.com" } } })];
    assert.equal(taken(routes, { authority: "SHOP.example.com." }), "r");
  });

  it("match the authority by Envoy's pseudo-header", () => {
    const routes = [route("r", { headers: { ":authority": { kind: "prefix", value: "shop." } } })];
    assert.equal(taken(routes, { authority: "shop.example.com:80" }), "r");
    assert.equal(taken(routes, { authority: "example.com" }), undefined);
  });

  it("treat an absent header as not matching", () => {
    const without = (match: RouteMatch["headers"][string]) => [
      route("r", { withoutHeaders: { "x-a": match } }),
    ];
    assert.equal(taken(without({ kind: "present" }), {}), "r");
    assert.equal(taken(without({ kind: "present" }), { headers: { "x-a": "1" } }), undefined);
    assert.equal(taken(without({ kind: "exact", value: "1" }), { headers: { "x-a": "2" } }), "r");
    assert.equal(taken(without({ kind: "exact", value: "1" }), { headers: { "x-a": "1" } }), undefined);
  });

  it("match decoded query parameters, by any of their values", () => {
    const routes = [
      route("r", { queryParams: { "a b": { kind: "exact", value: "1&2" }, flag: { kind: "present" } } }),
    ];
    assert.equal(taken(routes, { query: "?a+b=1%262&flag" }), "r");
    assert.equal(taken(routes, { query: "?flag=&a%20b=1%262&a+b=x" }), "r");
    assert.equal(taken(routes, { query: "?a+b=x&a+b=1%262&flag" }), "r");
    assert.equal(taken(routes, { query: "?a+b=x&flag" }), undefined);
    assert.equal(taken(routes, { query: "" }), undefined);
    assert.equal(
      taken([route("r", { queryParams: { a: { kind: "exact", value: "%zz" } } })], { query: "?a=%zz" }),
      "r",
    );
  });

  it("match RE2 regular expressions, with a bounded cost for each request", () => {
    const regex = (value: string) => route(value, { headers: { "x-a": { kind: "regex", value } } });
    assert.equal(taken([regex("(?i)BOB\\z")], { headers: { "x-a": "bob" } }), "(?i)BOB\\z");
    const costly = Array.from({ length: 120 }, (_, index) => regex(`(\\w{1,30}\\s?){1,20}${index}x`));
    const table = compileRouteTable({ name: "t", virtualHosts: [host(["*"], ...costly, route("any"))] });
    const match = (value: string) => matchRoute(table, request({ headers: { "x-a": value } }))?.route.name;
    const started = performance.now();
    for (let times = 0; times < 3; times++) {
      assert.throws(() => match("lorem ipsum ".repeat(5_000)), { code: "PURSER_PROXY_MATCH_TOO_LONG" });
      assert.equal(match("lorem ipsum"), "any");
    }
    assert.ok(performance.now() - started < 3 * 1_000);
  });
});
