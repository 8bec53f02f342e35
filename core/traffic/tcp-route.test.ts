// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { hostCovers } from "./host-name.ts";
import type { TcpMatch, TcpRoute } from "./resources/tcp.ts";
import { CompiledTcpTable } from "./tcp-route.ts";

const DESTINATIONS = [{ cluster: "outbound|5432||db", weight: 1 }];

function routeOf(name: string, ...matches: readonly Partial<TcpMatch>[]): TcpRoute {
  return {
    name,
    matches: matches.map((match) => ({ serverNames: [], destinationSubnets: [], ...match })),
    destinations: DESTINATIONS,
  };
}

function nameOf(
  routes: readonly TcpRoute[],
  serverName: string | undefined,
  localIp = "192.0.2.1",
): string | undefined {
  return new CompiledTcpTable({ name: "t", routes }).match({ serverName, localIp })?.name;
}

describe("the route of a connection", () => {
  it("is the first without conditions", () => {
    assert.equal(nameOf([routeOf("a"), routeOf("b")], undefined), "a");
    assert.equal(nameOf([], undefined), undefined);
  });

  it("is of the most exact server name, in whatever order the routes stand", () => {
    const routes = [
      routeOf("any", { serverNames: ["*"] }),
      routeOf("below", { serverNames: ["*.example.com"] }),
      routeOf("db", { serverNames: ["db.example.com", "db2.example.com"] }),
    ];
    for (const order of [routes, routes.toReversed()]) {
      assert.equal(nameOf(order, "db.example.com"), "db");
      assert.equal(nameOf(order, "db2.example.com"), "db");
      assert.equal(nameOf(order, "x.example.com"), "below");
      assert.equal(nameOf(order, "example.com"), "any");
      assert.equal(nameOf(order, undefined), "any");
    }
    assert.equal(nameOf(routes.slice(1), undefined), undefined);
  });

  it("is of the longest prefix of the called address, before the server name", () => {
    const routes = [
      routeOf("name", { serverNames: ["db.example.com"] }),
      routeOf("net", { destinationSubnets: ["192.0.0.0/16", "2001:db8::/32"] }),
      routeOf("host", { destinationSubnets: ["192.0.2.1"] }),
    ];
    assert.equal(nameOf(routes, "db.example.com"), "host");
    assert.equal(nameOf(routes, "db.example.com", "192.0.3.1"), "net");
    assert.equal(nameOf(routes, undefined, "2001:db8::7"), "net");
    assert.equal(nameOf(routes, "db.example.com", "10.0.0.1"), "name");
    assert.equal(nameOf(routes, "db.example.com", ""), "name");
  });

  it("always covers the name that the client asks for", () => {
    const label = fc.constantFrom("a", "b", "c");
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
    const pattern = fc.oneof(
      name,
      name.map((each) => `*.${each}`),
      fc.constant("*"),
    );
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), name, (patterns, asked) => {
        const found = nameOf(
          patterns.map((each) => routeOf(each, { serverNames: [each] })),
          asked,
        );
        const covering = patterns.filter((each) => hostCovers(each, asked));
        if (covering.length === 0) assert.equal(found, undefined);
        else {
          assert.ok(found !== undefined && covering.includes(found));
          assert.ok(covering.every((each) => hostCovers(each, found)));
        }
      }),
    );
  });
});
