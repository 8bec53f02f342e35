// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chooseDestination } from "../../core/traffic/chance.ts";
import type { TcpRoute } from "../../core/traffic/resources/tcp.ts";
import type { Random } from "../../kernel/ports.ts";
import { textHash } from "../../kernel/text-hash.ts";
import type { ListenerBinding } from "../listeners/listener-server.ts";
import { tcpTablesOf } from "../snapshot/tcp-tables.ts";
import type { RawConnection } from "../transport/contract/raw.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { EndpointSet } from "../upstream/endpoint-set.ts";

/** The route of a connection, and its destination. */
export interface TcpSelection {
  readonly route: TcpRoute;
  /** Undefined for a cluster that is not known. */
  readonly cluster: Cluster | undefined;
  readonly endpoints: EndpointSet | undefined;
  /** Hash of the client's address; undefined without consistent hashing by it. */
  readonly hash: number | undefined;
}

/** Finds the route, and picks one of its weighted destinations. Returns undefined when no route takes the connection. */
export function pickRoute(
  { listener, snapshot }: ListenerBinding,
  { facts, serverName, routeTable }: Pick<RawConnection, "facts" | "serverName" | "routeTable">,
  { random }: { readonly random: Random },
): TcpSelection | undefined {
  const table = listener.tcp === undefined ? undefined : tcpTablesOf(listener.tcp).get(routeTable);
  const route = table?.match({ serverName, localIp: facts.localIp });
  if (route === undefined) return undefined;
  const destination = chooseDestination(route.destinations, random);
  const cluster = destination === undefined ? undefined : snapshot.clusters.get(destination.cluster);
  const endpoints = cluster === undefined ? undefined : snapshot.endpoints.get(cluster.config.name);
  // A connection has no headers: other kinds of consistent hashing pick at random, as in Envoy.
  const isHashed = cluster?.hashOn?.kind === "source-ip" && facts.remoteIp !== "";
  return { route, cluster, endpoints, hash: isHashed ? textHash(facts.remoteIp) : undefined };
}
