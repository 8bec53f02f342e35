// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayServerSpec, GatewaySpec } from "../../core/documents/kinds/gateway.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import {
  canonicalHost,
  compareExactness,
  hostAliases,
  hostCovers,
  hostIntersection,
} from "../../core/traffic/host-name.ts";
import type { VirtualHost } from "../../core/traffic/resources/route.ts";
import { DEFAULT_RETRY_POLICY } from "../../core/traffic/retry.ts";
import type { ClusterCollector } from "./clusters.ts";
import { qualifyGateway, withoutNamespace } from "./gateway-name.ts";
import type { SidecarScope } from "./sidecar-scope.ts";
import type { Registry, Service, ServicePort } from "../registry/registry-static.ts";
import type { Workload } from "./workload.ts";
import { defaultRoute, HTTPS_REDIRECT, translateRoutes } from "./routes.ts";

type VirtualService = TrafficDocument<VirtualServiceSpec>;

/** The calling proxy, and the part of the mesh that it serves. */
export interface MeshClient extends SidecarScope {
  readonly workload: Workload;
  readonly sees: (service: Service) => boolean;
  /** The port of a listener for one port of services; default: a listener for all ports. */
  readonly port?: number;
}

/**
 * Virtual hosts of the mesh: each service with the routes of the VirtualServices for its host, or else a
 * default route; then the hosts that only VirtualServices have.
 */
export function meshVirtualHosts(
  registry: Registry,
  clusters: ClusterCollector,
  client: MeshClient,
): readonly VirtualHost[] {
  const { services } = client;
  const boundToMesh = client.virtualServices.filter(
    (document) => document.spec.http !== undefined && isBound(document, MESH_GATEWAY),
  );
  const bound = groupByHost(boundToMesh, registry);
  const { workload, port: ofListener } = client;
  const scope = { workload, gateways: new Set([MESH_GATEWAY]), port: ofListener };
  const hosts: VirtualHost[] = [];
  const taken = new Set(services.map(({ identity }) => identity.host));
  for (const service of services) {
    if (!client.sees(service)) continue;
    const documents = mostExact(bound, service.canonicalHost);
    const aliases = claimAliases(service, workload.namespace, taken);
    const ports = service.ports.filter(({ carriesBytes }) => !carriesBytes);
    ports.forEach((port, index) => {
      const routes =
        documents === undefined
          ? [straightTo(service, port, clusters)]
          : documents.flatMap((document) =>
              translateRoutes(document, { ...scope, port: port.number }, clusters),
            );
      const domains = index === 0 ? aliases : aliases.map((alias) => `${alias}:${port.number}`);
      hosts.push({ name: `${service.identity.host}:${port.number}`, domains, routes });
    });
  }
  const declared = new Set(services.map(({ canonicalHost: host }) => host));
  for (const [host, { written, documents }] of bound) {
    if (declared.has(host) || taken.has(written)) continue;
    const routes = documents.flatMap((document) => translateRoutes(document, scope, clusters));
    hosts.push({ name: written, domains: [written], routes });
  }
  return hosts;
}

/** Some of a Gateway's servers on one port, with the Gateway. */
export interface ServersOfPort {
  readonly gateway: TrafficDocument<GatewaySpec>;
  readonly servers: readonly GatewayServerSpec[];
}

/**
 * Virtual hosts of one port of the edge: the common hosts of its Gateways' servers and the VirtualServices
 * bound to them. A server with `httpsRedirect` redirects all its hosts first.
 */
export function gatewayVirtualHosts(
  served: readonly ServersOfPort[],
  port: number,
  virtualServices: readonly VirtualService[],
  clusters: ClusterCollector,
  workload: Workload,
): readonly VirtualHost[] {
  const routesByDomain = new Map<string, VirtualHost["routes"][number][]>();
  for (const domain of redirectedHosts(served)) routesByDomain.set(domain, [HTTPS_REDIRECT]);
  for (const document of virtualServices) {
    if (document.spec.http === undefined) continue;
    const gatewaysByDomain = new Map<string, Set<string>>();
    for (const { gateway, servers } of served) {
      const name = qualifyGateway(gateway.metadata.name, gateway.metadata.namespace);
      if (!isBound(document, name)) continue;
      const { namespace } = gateway.metadata;
      for (const domain of commonDomains(namespace, servers.filter(redirects), document))
        if (!routesByDomain.has(domain)) routesByDomain.set(domain, [HTTPS_REDIRECT]);
      for (const domain of commonDomains(namespace, servers, document)) {
        gatewaysByDomain.set(domain, (gatewaysByDomain.get(domain) ?? new Set()).add(name));
      }
    }
    for (const [domain, names] of gatewaysByDomain) {
      const routes = routesByDomain.get(domain) ?? [];
      routes.push(...translateRoutes(document, { workload, gateways: names, port }, clusters));
      routesByDomain.set(domain, routes);
    }
  }
  return [...routesByDomain].map(([domain, routes]) => ({
    name: `${domain}:${port}`,
    domains: [domain],
    routes,
  }));
}

function redirects({ tls }: GatewayServerSpec): boolean {
  return tls?.httpsRedirect === true;
}

function redirectedHosts(served: readonly ServersOfPort[]): ReadonlySet<string> {
  return new Set(
    served.flatMap(({ servers }) =>
      servers.filter(redirects).flatMap(({ hosts }) => hosts.map(withoutNamespace)),
    ),
  );
}

export function isBound({ metadata, spec }: VirtualService, gateway: string): boolean {
  return (spec.gateways ?? [MESH_GATEWAY]).some(
    (name) => qualifyGateway(name, metadata.namespace) === gateway,
  );
}

export interface HostGroup {
  /** The host as the first document writes it. */
  readonly written: string;
  readonly documents: VirtualService[];
}

/** Groups VirtualServices by canonical host, in document order: their routes are concatenated. */
export function groupByHost(
  documents: readonly VirtualService[],
  registry: Registry,
): ReadonlyMap<string, HostGroup> {
  const groups = new Map<string, HostGroup>();
  for (const document of documents) {
    for (const written of new Set(document.spec.hosts ?? [])) {
      const host = registry.canonical(written, document.metadata.namespace);
      const group = groups.get(host);
      if (group === undefined) groups.set(host, { written, documents: [document] });
      else if (!group.documents.includes(document)) group.documents.push(document);
    }
  }
  return groups;
}

/** The VirtualServices for a service: those whose host covers it best. */
export function mostExact(
  groups: ReadonlyMap<string, HostGroup>,
  host: string,
): readonly VirtualService[] | undefined {
  const exact = groups.get(host);
  if (exact !== undefined) return exact.documents;
  const [pattern] = [...groups.keys()].filter((key) => hostCovers(key, host)).toSorted(compareExactness);
  return pattern === undefined ? undefined : groups.get(pattern)?.documents;
}

/** Host aliases of a service that no earlier service has taken; its declared host is always included. */
function claimAliases(service: Service, clientNamespace: string, taken: Set<string>): readonly string[] {
  const { host, namespace } = service.identity;
  const [own, ...others] = hostAliases(host, namespace, clientNamespace);
  const all = service.addresses === undefined ? others : [...others, ...service.addresses];
  const free = all.filter((alias) => !taken.has(alias));
  for (const alias of free) taken.add(alias);
  return [own, ...free];
}

function straightTo({ identity }: Service, port: ServicePort, clusters: ClusterCollector) {
  return defaultRoute(clusters.useService(identity, port.number), DEFAULT_RETRY_POLICY);
}

/** The hosts that the servers and the VirtualService have in common, the more specific of each two. */
export function commonDomains(
  gatewayNamespace: string,
  servers: readonly GatewayServerSpec[],
  virtualService: VirtualService,
): readonly string[] {
  const { namespace } = virtualService.metadata;
  const served = servers.flatMap(({ hosts }) => hosts);
  return served.flatMap((qualified) => {
    const separator = qualified.indexOf("/");
    const from = separator < 0 ? "*" : qualified.slice(0, separator);
    if (from !== "*" && (from === "." ? gatewayNamespace : from) !== namespace) return [];
    const servedHost = canonicalHost(withoutNamespace(qualified), gatewayNamespace);
    return (virtualService.spec.hosts ?? []).flatMap((written) => {
      const host = canonicalHost(written, namespace);
      const common = hostIntersection(servedHost, host);
      if (common === undefined) return [];
      return [common === host ? written : withoutNamespace(qualified)];
    });
  });
}
