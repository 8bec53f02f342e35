// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Authority } from "../../kernel/canonical/authority.ts";
import { PurserError } from "../../kernel/errors.ts";
import { type Meter, StepBudget } from "../../kernel/matching/regex/meter.ts";
import { isWildcard } from "./host-name.ts";
import type { Route, RouteMatch, RouteTable, VirtualHost } from "./resources/route.ts";
import { compileMatch, type Predicate, type RouteRequest } from "./route-match.ts";

/** A route table that is compiled once, when the configuration arrives, so that requests only look up. */
export interface CompiledRouteTable {
  readonly name: string;
  /** By exact domain, which may have a port. */
  readonly exact: ReadonlyMap<string, CompiledVirtualHost>;
  /** By the text after the `*`: `.example.com`; the empty string for `*` itself. */
  readonly suffixes: ReadonlyMap<string, CompiledVirtualHost>;
  /** Budget of the request being matched: matching is synchronous, so one budget serves all requests. */
  readonly budget: StepBudget;
}

/** Maximum number of regular expression steps, of about 50 ns each, for matching one request: 15 ms. */
const MATCH_STEPS = 300_000;

function tooLong(): PurserError {
  return new PurserError(
    "PURSER_PROXY_MATCH_TOO_LONG",
    `the routes' regular expressions took more than ${MATCH_STEPS} steps for one request`,
  );
}

interface CompiledVirtualHost {
  readonly virtualHost: VirtualHost;
  readonly routes: readonly CompiledRoute[];
}

interface CompiledRoute {
  readonly route: Route;
  readonly matches: readonly { readonly match: RouteMatch; readonly holds: Predicate }[];
}

export interface MatchedRoute {
  readonly virtualHost: VirtualHost;
  readonly route: Route;
  /** The matching one of the route's matches; undefined when the route has none. */
  readonly match: RouteMatch | undefined;
}

/** When two virtual hosts claim a domain, the first gets it. */
export function compileRouteTable(table: RouteTable): CompiledRouteTable {
  const budget = new StepBudget(MATCH_STEPS, tooLong);
  const exact = new Map<string, CompiledVirtualHost>();
  const suffixes = new Map<string, CompiledVirtualHost>();
  for (const virtualHost of table.virtualHosts) {
    const compiled = { virtualHost, routes: virtualHost.routes.map((route) => compileRoute(route, budget)) };
    for (const domain of virtualHost.domains) {
      const [map, key] = isWildcard(domain) ? [suffixes, domain.slice(1)] : [exact, domain];
      if (!map.has(key)) map.set(key, compiled);
    }
  }
  return { name: table.name, exact, suffixes, budget };
}

function compileRoute(route: Route, meter: Meter): CompiledRoute {
  return { route, matches: route.matches.map((match) => ({ match, holds: compileMatch(match, meter) })) };
}

/**
 * The virtual host with the most specific domain for the authority, and its first matching route; undefined
 * when there is none. As in Envoy, no other virtual host is tried then.
 *
 * @throws {PurserError} PURSER_PROXY_MATCH_TOO_LONG when the regular expressions take too long for this
 *   request.
 */
export function matchRoute(table: CompiledRouteTable, request: RouteRequest): MatchedRoute | undefined {
  const found = findVirtualHost(table, request.authority);
  if (found === undefined) return undefined;
  const { virtualHost, routes } = found;
  table.budget.start();
  for (const { route, matches } of routes) {
    if (matches.length === 0) return { virtualHost, route, match: undefined };
    const held = matches.find(({ holds }) => holds(request));
    if (held !== undefined) return { virtualHost, route, match: held.match };
  }
  return undefined;
}

function findVirtualHost(
  table: CompiledRouteTable,
  { host, port }: Authority,
): CompiledVirtualHost | undefined {
  const withPort = port === undefined ? undefined : table.exact.get(`${host}:${port}`);
  const exact = withPort ?? table.exact.get(host);
  if (exact !== undefined || table.suffixes.size === 0) return exact;
  // From the left, so that the longest suffix comes first; a suffix needs at least one character before it.
  for (let dot = host.indexOf(".", 1); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const found = table.suffixes.get(host.slice(dot));
    if (found !== undefined) return found;
  }
  return table.suffixes.get("");
}
