// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Authority } from "../../kernel/canonical/authority.ts";
import { PurserError } from "../../kernel/errors.ts";
import { type Meter, StepBudget } from "../../kernel/matching/regex/meter.ts";
import { isWildcard } from "./host-name.ts";
import type { Route, RouteMatch, RouteTable, VirtualHost } from "./resources/route.ts";
import { compileMatch, type Predicate, type RouteRequest } from "./route-match.ts";

/** A route table made ready once, when the configuration arrives, so that a request only looks things up. */
export interface CompiledRouteTable {
  readonly name: string;
  /** By exact domain, which may carry a port. */
  readonly exact: ReadonlyMap<string, CompiledVirtualHost>;
  /** By what follows the `*`: `.example.com`; for `*` itself the empty string. */
  readonly suffixes: ReadonlyMap<string, CompiledVirtualHost>;
  /** Of the request that is being matched: a match waits for nothing, so that one serves all. */
  readonly budget: StepBudget;
}

/** Steps of regular expressions, at some 50 ns each, that matching one request may take: 15 ms. */
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
  /** Which of the route's matches held; undefined when the route has none. */
  readonly match: RouteMatch | undefined;
}

/** Where two virtual hosts claim a domain, the first has it. */
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
 * The virtual host whose domain is the most exact for the authority, and its first route that matches; undefined when
 * there is none, and then no other virtual host is asked: so Envoy does it.
 *
 * @throws {PurserError} PURSER_PROXY_MATCH_TOO_LONG when the regular expressions take too long for this request.
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
  // From the left, so the longest suffix comes first; a suffix stands for at least one character.
  for (let dot = host.indexOf(".", 1); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const found = table.suffixes.get(host.slice(dot));
    if (found !== undefined) return found;
  }
  return table.suffixes.get("");
}
