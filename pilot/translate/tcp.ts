// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { carriedBy } from "../../core/documents/kinds/port-protocols.ts";
import type { GatewaySpec } from "../../core/documents/kinds/gateway.ts";
import { displayName } from "../../core/documents/kinds/kind.ts";
import type { VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type {
  ConnectionMatchSpec,
  TcpRouteSpec,
  TlsRouteSpec,
} from "../../core/documents/kinds/virtual-service-tcp.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { hostIntersection } from "../../core/traffic/host-name.ts";
import type {
  PassthroughServer,
  TcpListener,
  TcpMatch,
  TcpRoute,
  TcpRouteTable,
} from "../../core/traffic/resources/tcp.ts";
import type { ClusterCollector } from "./clusters.ts";
import { qualifyGateway, withoutNamespace } from "./gateway-name.ts";
import { isInScope, type RouteScope } from "./routes.ts";
import { serversOf, type TlsServerOfGateway } from "./tls.ts";
import { commonDomains, isBound, type ServersOfPort } from "./virtual-hosts.ts";
import type { Workload } from "./workload.ts";

/** The parts of the mesh that the routes of connections are made of. */
interface TcpSources {
  readonly gateways: readonly TrafficDocument<GatewaySpec>[];
  readonly virtualServices: readonly TrafficDocument<VirtualServiceSpec>[];
  readonly clusters: ClusterCollector;
  readonly workload: Workload;
}

/**
 * The connections of an edge's port that are forwarded as bytes; undefined when all are HTTP.
 *
 * @param terminating The servers of the port that end TLS.
 */
export function edgeTcpOf(
  port: number,
  terminating: readonly TlsServerOfGateway[],
  sources: TcpSources,
): TcpListener | undefined {
  const tables: TcpRouteTable[] = [];
  const passthroughServers: PassthroughServer[] = [];
  const plain: ServersOfPort[] = [];
  for (const gateway of sources.gateways) {
    for (const server of serversOf(gateway, port)) {
      const carried = carriedBy(server.port.protocol);
      if (carried === "tcp") plain.push({ gateway, servers: [server] });
      if (carried !== "tls" || server.tls?.mode !== "PASSTHROUGH") continue;
      const serverNames = [...new Set(server.hosts.map(withoutNamespace))];
      const { name: gatewayName, namespace } = gateway.metadata;
      const name = `passthrough.${port}.${serverNames[0]}.${gatewayName}.${namespace}`;
      passthroughServers.push({ name, serverNames, routeTable: name });
      tables.push({ name, routes: routesOf("tls", [{ gateway, servers: [server] }], port, sources) });
    }
  }
  const plainTable = `tcp.${port}`;
  if (plain.length > 0) tables.push({ name: plainTable, routes: routesOf("tcp", plain, port, sources) });
  for (const { tls, gateway, server } of terminating) {
    if (tls.protocol !== "tcp") continue;
    const served = [{ gateway, servers: [server] }];
    tables.push({ name: tls.routeTable, routes: routesOf("terminated", served, port, sources) });
  }
  if (tables.length === 0) return undefined;
  return { ...(plain.length > 0 ? { plainTable } : {}), passthroughServers, tables };
}

/** The only table of a sidecar's inbound listener in front of an application that does not speak HTTP. */
export function inboundTcp(cluster: string): TcpListener {
  const route: TcpRoute = { name: "default", matches: [], destinations: [{ cluster, weight: 1 }] };
  return { plainTable: "inbound", passthroughServers: [], tables: [{ name: "inbound", routes: [route] }] };
}

/** @param kind `terminated`: tcp routes, of connections whose server name is known. */
function routesOf(
  kind: "tls" | "tcp" | "terminated",
  served: readonly ServersOfPort[],
  port: number,
  { virtualServices, clusters, workload }: TcpSources,
): readonly TcpRoute[] {
  return virtualServices.flatMap((document) => {
    const domains = new Set<string>();
    const gateways = new Set<string>();
    for (const { gateway, servers } of served) {
      const name = qualifyGateway(gateway.metadata.name, gateway.metadata.namespace);
      const common = isBound(document, name)
        ? commonDomains(gateway.metadata.namespace, servers, document)
        : [];
      for (const domain of common) domains.add(domain);
      if (common.length > 0) gateways.add(name);
    }
    if (domains.size === 0) return [];
    const scope: RouteScope = { workload, gateways, port };
    const names = kind === "tcp" ? [] : [...domains];
    return kind === "tls"
      ? translateTcpRoutes(document, "tls", names, scope, clusters)
      : translateTcpRoutes(document, "tcp", names, scope, clusters);
  });
}

/**
 * The routes of one VirtualService, without those for other scopes.
 *
 * @param names Server names that the routes may take; empty for connections without one.
 */
export function translateTcpRoutes(
  { metadata, spec }: TrafficDocument<VirtualServiceSpec>,
  kind: "tls" | "tcp",
  names: readonly string[],
  scope: RouteScope,
  clusters: ClusterCollector,
): readonly TcpRoute[] {
  const routes: readonly (TlsRouteSpec | TcpRouteSpec)[] = spec[kind] ?? [];
  return routes.flatMap((route, index) => {
    const written: readonly (ConnectionMatchSpec & { readonly sniHosts?: readonly string[] })[] =
      route.match ?? [{}];
    const matches = written
      .filter((match) => isInScope(match, metadata.namespace, scope))
      .flatMap((match): readonly TcpMatch[] => {
        const { destinationSubnets = [], sniHosts: asked = ["*"] } = match;
        const serverNames = names.flatMap((name) =>
          asked.flatMap((sniHost) => hostIntersection(name, sniHost) ?? []),
        );
        if (names.length > 0 && serverNames.length === 0) return [];
        return [{ serverNames: [...new Set(serverNames)], destinationSubnets }];
      });
    if (matches.length === 0) return [];
    const name = `${displayName(metadata)}.${kind}.${index}`;
    return [{ name, matches, destinations: destinationsOf(route, metadata.namespace, scope, clusters) }];
  });
}

/** Destinations, without those of weight 0, which get no connections. */
function destinationsOf(
  { route }: TcpRouteSpec,
  namespace: string,
  scope: RouteScope,
  clusters: ClusterCollector,
) {
  return route
    .map(({ destination, weight = 0 }) => {
      return { destination, weight: route.length === 1 ? Math.max(weight, 1) : weight };
    })
    .filter(({ weight }) => weight > 0)
    .map(({ destination: { host, subset, port }, weight }) => {
      return { cluster: clusters.use({ host, namespace, subset, port: port?.number }, scope.port), weight };
    });
}
