// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { Route } from "../../core/traffic/resources/route.ts";
import { compileRouteTable, matchRoute } from "../../core/traffic/route-table.ts";
import { type Authority, parseAuthority } from "../../kernel/canonical/authority.ts";

/** Routes one request through the tables, as a proxy would. */
export function follow(
  config: TrafficResources,
  authority: string,
  path = "/",
  table = 0,
): Route | undefined {
  const found = config.routes.resources[table];
  assert.ok(found !== undefined);
  const named = parseAuthority(authority) as Authority;
  const request = { authority: named, path, query: "", method: "GET", headers: { values: () => [] } };
  return matchRoute(compileRouteTable(found), request)?.route;
}

/** The clusters that a route forwards to; undefined for a route that does not forward. */
export function destinationsOf(route: Route | undefined): readonly string[] | undefined {
  return route?.action.kind === "forward"
    ? route.action.destinations.map(({ cluster }) => cluster)
    : undefined;
}

/** Addresses of a cluster's endpoints; undefined when the proxy does not have the cluster. */
export function addressesOf(config: TrafficResources, cluster: string): readonly string[] | undefined {
  return config.endpoints.resources
    .find(({ name }) => name === cluster)
    ?.endpoints.map(({ address }) => address);
}
