// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Authority } from "../../kernel/canonical/authority.ts";
import { PurserError } from "../../kernel/errors.ts";
import { StepBudget } from "../../kernel/matching/regex/meter.ts";
import { CompiledCors } from "./cors.ts";
import { isWildcard } from "./host-name.ts";
import { RegexRewrite } from "./regex-rewrite.ts";
import type {
  Route,
  RouteAction,
  RouteHeaderOperations,
  RouteMatch,
  RouteTable,
  VirtualHost,
  WeightedDestination,
} from "./resources/route.ts";
import { type SplitDestination, splitSeeds } from "./sticky-split.ts";
import { compileMatch, type Predicate, type RouteRequest } from "./route-match.ts";

/** A route table that is compiled once, when the configuration arrives, so that requests only look up. */
export interface CompiledRouteTable {
  readonly name: string;
  /** By exact domain, which may have a port. */
  readonly exact: ReadonlyMap<string, CompiledVirtualHost>;
  /** By the text after the `*`: `.example.com`. */
  readonly suffixes: ReadonlyMap<string, CompiledVirtualHost>;
  /** The virtual host of the domain `*`. */
  readonly any: CompiledVirtualHost | undefined;
  /** Whether some exact domain has a port. */
  readonly hasPorts: boolean;
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
  /** The result for a request that meets a match; in order. A route without matches has one that always holds. */
  readonly matches: readonly { readonly matched: MatchedRoute; readonly holds: Predicate }[];
}

/** The result of routing: one object for each match of each route, made when the table is compiled. */
export interface MatchedRoute {
  readonly virtualHost: VirtualHost;
  readonly route: Route;
  /** The matching one of the route's matches; undefined when the route has none. */
  readonly match: RouteMatch | undefined;
  /** The attributes `route.*`. */
  readonly attributes: { readonly name: string };
  readonly requestHeaders: readonly RouteHeaderOperation[];
  readonly responseHeaders: readonly RouteHeaderOperation[];
  /** Charged to the table's budget. */
  readonly cors: CompiledCors | undefined;
  /** The rewrite of the action's kind `regex`. */
  readonly regexRewrite: RegexRewrite | undefined;
  /** Empty unless the route forwards. */
  readonly destinations: readonly CompiledDestination[];
}

/** One header operation, in the form of the policies' operations. */
export interface RouteHeaderOperation {
  readonly operation: "set" | "append" | "remove";
  /** In lower case. */
  readonly name: string;
  /** Absent for `remove`. */
  readonly value?: string;
}

/** A weighted destination whose header operations are in the order of their application. */
export interface CompiledDestination extends SplitDestination, Pick<WeightedDestination, "cluster"> {
  readonly requestHeaders: readonly RouteHeaderOperation[];
  readonly responseHeaders: readonly RouteHeaderOperation[];
}

/** When two virtual hosts claim a domain, the first gets it. */
export function compileRouteTable(table: RouteTable): CompiledRouteTable {
  const budget = new StepBudget(MATCH_STEPS, tooLong);
  const exact = new Map<string, CompiledVirtualHost>();
  const suffixes = new Map<string, CompiledVirtualHost>();
  for (const virtualHost of table.virtualHosts) {
    const routes = virtualHost.routes.map((route) => compileRoute(virtualHost, route, budget));
    const compiled = { virtualHost, routes };
    for (const domain of virtualHost.domains) {
      const [map, key] = isWildcard(domain) ? [suffixes, domain.slice(1)] : [exact, domain];
      if (!map.has(key)) map.set(key, compiled);
    }
  }
  const any = suffixes.get("");
  suffixes.delete("");
  const hasPorts = [...exact.keys()].some((domain) => /:\d+$/.test(domain));
  return { name: table.name, exact, suffixes, any, hasPorts, budget };
}

function compileRoute(virtualHost: VirtualHost, route: Route, budget: StepBudget): CompiledRoute {
  const { action, requestHeaders, responseHeaders, cors } = route;
  const rewrite = action.kind === "forward" ? action.rewrite?.path : undefined;
  const common = {
    virtualHost,
    route,
    attributes: { name: route.name },
    requestHeaders: operationsOf(requestHeaders),
    responseHeaders: operationsOf(responseHeaders),
    cors: cors === undefined ? undefined : new CompiledCors(cors, budget),
    regexRewrite: rewrite?.kind === "regex" ? new RegexRewrite(rewrite, budget) : undefined,
    destinations: action.kind === "forward" ? compileDestinations(action) : [],
  };
  if (route.matches.length === 0)
    return { matches: [{ matched: { ...common, match: undefined }, holds: () => true }] };
  const matches = route.matches.map((match) => {
    return { matched: { ...common, match }, holds: compileMatch(match, budget) };
  });
  return { matches };
}

function compileDestinations({
  destinations,
}: Extract<RouteAction, { kind: "forward" }>): readonly CompiledDestination[] {
  const seeds = splitSeeds(destinations.map(({ cluster }) => cluster));
  return destinations.map(({ cluster, weight, requestHeaders, responseHeaders }, index) => ({
    cluster,
    weight,
    splitSeed: seeds[index] ?? 0,
    requestHeaders: operationsOf(requestHeaders),
    responseHeaders: operationsOf(responseHeaders),
  }));
}

/** The operations in the order of their application: remove, set, add. */
function operationsOf({ remove, set, add }: RouteHeaderOperations): readonly RouteHeaderOperation[] {
  return [
    ...remove.map((name): RouteHeaderOperation => ({ operation: "remove", name: name.toLowerCase() })),
    ...Object.entries(set).map(([name, value]): RouteHeaderOperation => {
      return { operation: "set", name: name.toLowerCase(), value };
    }),
    ...Object.entries(add).map(([name, value]): RouteHeaderOperation => {
      return { operation: "append", name: name.toLowerCase(), value };
    }),
  ];
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
  table.budget.start();
  for (const { matches } of found.routes)
    for (const { matched, holds } of matches) if (holds(request)) return matched;
  return undefined;
}

function findVirtualHost(
  table: CompiledRouteTable,
  { host, port }: Authority,
): CompiledVirtualHost | undefined {
  const withPort = port === undefined || !table.hasPorts ? undefined : table.exact.get(`${host}:${port}`);
  const exact = withPort ?? table.exact.get(host);
  if (exact !== undefined || table.suffixes.size === 0) return exact ?? table.any;
  // From the left, so that the longest suffix comes first; a suffix needs at least one character before it.
  for (let dot = host.indexOf(".", 1); dot >= 0; dot = host.indexOf(".", dot + 1)) {
    const found = table.suffixes.get(host.slice(dot));
    if (found !== undefined) return found;
  }
  return table.any;
}
