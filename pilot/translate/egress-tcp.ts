// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MESH_GATEWAY, type VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { hostAliases } from "../../core/traffic/host-name.ts";
import type { TcpListener, TcpMatch, TcpRoute } from "../../core/traffic/resources/tcp.ts";
import type { Registry, Service } from "../registry/registry-static.ts";
import type { ClusterCollector } from "./clusters.ts";
import type { EgressListener } from "./sidecar-scope.ts";
import { translateTcpRoutes } from "./tcp.ts";
import { groupByHost, isBound, mostExact } from "./virtual-hosts.ts";
import type { Workload } from "./workload.ts";

interface EgressSources {
  readonly registry: Registry;
  readonly clusters: ClusterCollector;
  readonly workload: Workload;
}

/**
 * The connections of a sidecar's own listener for bytes, by Istio's rules. TLS goes by its server name, and a service gets its
 * own names unless routes are for it. A connection in plain text names nothing: it is for the one service, by its routes,
 * and to the service itself where none of them matches.
 *
 * @param name The listener's.
 */
export function egressTcp(name: string, listener: EgressListener, sources: EgressSources): TcpListener {
  const kind = listener.carried === "tls" ? "tls" : "tcp";
  const bound = listener.virtualServices.filter(
    (document) => document.spec[kind] !== undefined && isBound(document, MESH_GATEWAY),
  );
  if (kind === "tcp")
    return {
      plainTable: name,
      passthroughServers: [],
      tables: [{ name, routes: plainRoutes(listener, bound, sources) }],
    };
  return {
    passthroughServers: [{ name, serverNames: ["*"], routeTable: name }],
    tables: [{ name, routes: tlsRoutes(listener, bound, sources) }],
  };
}

type VirtualService = TrafficDocument<VirtualServiceSpec>;

function plainRoutes(
  { services: [service], port }: EgressListener,
  bound: readonly VirtualService[],
  { registry, clusters, workload }: EgressSources,
): readonly TcpRoute[] {
  const scope = { workload, gateways: new Set([MESH_GATEWAY]), port };
  const documents =
    service === undefined ? bound : (mostExact(groupByHost(bound, registry), service.canonicalHost) ?? []);
  const routes = documents.flatMap((document) => translateTcpRoutes(document, "tcp", [], scope, clusters));
  return service === undefined ? routes : [...routes, routeTo(service, port, [], clusters)];
}

function tlsRoutes(
  { services, port }: EgressListener,
  bound: readonly VirtualService[],
  { registry, clusters, workload }: EgressSources,
): readonly TcpRoute[] {
  const scope = { workload, gateways: new Set([MESH_GATEWAY]), port };
  const routesOf = new Map(
    bound.map((document) => [
      document,
      translateTcpRoutes(document, "tls", document.spec.hosts ?? [], scope, clusters),
    ]),
  );
  const groups = groupByHost(bound, registry);
  const ofServices = services.flatMap((service) => {
    const own = mostExact(groups, service.canonicalHost) ?? [];
    if (own.some((document) => routesOf.get(document)?.length !== 0)) return [];
    const { host, namespace } = service.identity;
    const serverNames = hostAliases(host, namespace, workload.namespace);
    return [routeTo(service, port, [{ serverNames, destinationSubnets: [] }], clusters)];
  });
  return [...[...routesOf.values()].flat(), ...ofServices];
}

function routeTo(
  { identity }: Service,
  port: number,
  matches: readonly TcpMatch[],
  clusters: ClusterCollector,
): TcpRoute {
  return {
    name: "default",
    matches,
    destinations: [{ cluster: clusters.useService(identity, port), weight: 1 }],
  };
}
