// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import { chooseDestination } from "../../core/traffic/chance.ts";
import type { HashSource } from "../../core/traffic/resources/load-balancer.ts";
import { type CompiledDestination, type MatchedRoute, matchRoute } from "../../core/traffic/route-table.ts";
import { chooseByHash } from "../../core/traffic/sticky-split.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { affinityOf } from "../exchange/request-affinity.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";
import { decideCors } from "./cors.ts";
import { matchTooLongReply } from "./match-too-long.ts";
import type { Filter } from "./filter.ts";

/**
 * Finds the route, and picks one of its weighted destinations. Answers CORS preflights (cors.ts).
 */
export function routeFilter(random: Random): Filter {
  return {
    name: "route",
    onRequest(exchange) {
      const reply = route(exchange, random);
      const cors = exchange.selection?.matched.cors;
      if (reply !== undefined || cors === undefined) return reply;
      try {
        return decideCors(exchange, cors);
      } catch (error: unknown) {
        return matchTooLongReply(error);
      }
    },
    onResponse({ splitCookie }, { headers }) {
      if (splitCookie !== undefined && !headers.values("set-cookie").includes(splitCookie))
        headers.append("set-cookie", splitCookie);
    },
  };
}

/** Sets the exchange's selection; returns the local reply of a request without a route or destination. */
export function route(exchange: Exchange, random: Random): LocalReply | undefined {
  const { snapshot, listener, request, connection } = exchange;
  // As in Envoy, a connection reaches only the hosts of the server that accepted it: another one may demand more.
  const table = snapshot.routeTables.get(connection.tls?.routeTable ?? listener.routeTable);
  let matched: MatchedRoute | undefined;
  try {
    matched = table === undefined ? undefined : matchRoute(table, request);
  } catch (error: unknown) {
    return matchTooLongReply(error);
  }
  if (matched === undefined) {
    return errorReply(
      "route_not_found",
      `No route for ${request.method} ${request.authorityText}${request.path}.`,
    );
  }
  const { action } = matched.route;
  if (action.kind !== "forward") {
    exchange.selection = { kind: "answer", matched, action };
    return undefined;
  }
  const destination =
    action.splitOn === undefined
      ? chooseDestination(matched.destinations, random)
      : stickyDestination(exchange, matched.destinations, action.splitOn, random);
  const cluster = destination === undefined ? undefined : snapshot.clusters.get(destination.cluster);
  const endpoints = cluster === undefined ? undefined : snapshot.endpoints.get(cluster.config.name);
  if (destination === undefined || cluster === undefined || endpoints === undefined) {
    return errorReply("cluster_not_found", "The route's destination is not known.");
  }
  exchange.selection = { kind: "forward", matched, action, destination, cluster, endpoints };
  return undefined;
}

/** A request without the value gets a random destination, and a cookie that repeats it if the route generates one. */
function stickyDestination(
  exchange: Exchange,
  destinations: readonly CompiledDestination[],
  splitOn: HashSource,
  random: Random,
): CompiledDestination | undefined {
  const { hash, setCookie } = affinityOf(splitOn, exchange);
  exchange.splitCookie = setCookie;
  return hash === undefined ? chooseDestination(destinations, random) : chooseByHash(destinations, hash);
}
