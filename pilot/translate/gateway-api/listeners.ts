// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { attachedHosts, isGatewayRef } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import { GATEWAY_API_GROUP } from "../../../core/documents/kinds/gateway-api/fields.ts";
import type {
  KubernetesGatewaySpec,
  ListenerSpec,
} from "../../../core/documents/kinds/gateway-api/gateway.ts";
import { mayRefer } from "../../../core/documents/kinds/gateway-api/reference-grant.ts";
import type { GatewayServerSpec, GatewaySpec } from "../../../core/documents/kinds/gateway.ts";
import type { VirtualServiceSpec } from "../../../core/documents/kinds/virtual-service-schema.ts";
import type { GatewayApiDocuments, TrafficDocument } from "../../../core/snapshot/snapshot.ts";
import { type Backends, connectionTargets } from "./backends.ts";
import { compareExactness, hostCovers } from "../../../core/traffic/host-name.ts";
import { inPrecedence, type RankedRoute } from "./precedence.ts";
import type { AnyRoute, TcpRules } from "./route-documents.ts";

type VirtualService = TrafficDocument<VirtualServiceSpec>;
type Gateway = TrafficDocument<GatewaySpec>;

/** A listener with its Gateway. */
export interface Served {
  readonly gateway: TrafficDocument<KubernetesGatewaySpec>;
  readonly listener: ListenerSpec;
}

/** The Gateway of one listener. A document's own name has no colon, so that no other Gateway has the name. */
function listenerName({ gateway, listener }: Served): string {
  return `${gateway.metadata.name}:${listener.name}`;
}

/** The listener as a Gateway; none when it may not use its certificate. */
export function serverOf(served: Served, { referenceGrants }: GatewayApiDocuments): readonly Gateway[] {
  const { gateway, listener } = served;
  const { metadata, location } = gateway;
  const { port, protocol, hostname = "*", tls } = listener;
  if (protocol === "UDP") return [];
  const isTls = protocol === "HTTPS" || protocol === "TLS";
  const server: GatewayServerSpec = {
    port: { number: port, name: listener.name, protocol },
    hosts: [hostname],
  };
  const document = (each: GatewayServerSpec): Gateway => ({
    metadata: { ...metadata, name: listenerName(served) },
    location,
    spec: { servers: [each] },
  });
  if (!isTls) return [document(server)];
  if (tls?.mode === "Passthrough") return [document({ ...server, tls: { mode: "PASSTHROUGH" } })];
  const [certificate] = tls?.certificateRefs ?? [];
  if (certificate === undefined) return [];
  const { group = "", kind = "Secret", name, namespace = metadata.namespace } = certificate;
  const from = { group: GATEWAY_API_GROUP, kind: "Gateway", namespace: metadata.namespace };
  if (!mayRefer(from, { group, kind, namespace, name }, referenceGrants)) return [];
  return [document({ ...server, tls: { mode: "SIMPLE", credentialName: name } })];
}

interface ListenerRoutes {
  readonly attached: readonly VirtualService[];
  /** Answers requests for the listener's own host that no route has, so that a listener for more hosts does not. */
  readonly rest: readonly VirtualService[];
}

/** @param all The listeners of the edge. */
export function listenerRoutes(
  served: Served,
  routes: readonly AnyRoute[],
  backends: Backends,
  all: readonly Served[],
): ListenerRoutes {
  const { gateway, listener } = served;
  const { metadata } = gateway;
  const scheme = listener.protocol === "HTTPS" ? "https" : "http";
  const gateways = [`${metadata.namespace}/${listenerName(served)}`];
  const ofHosts = new Map<string, { readonly ranked: RankedRoute[]; readonly first: AnyRoute }>();
  const connections: VirtualService[] = [];
  for (const route of routes) {
    const hosts = hostsAt(route, served).filter((host) => !isOthers(host, listener, all));
    if (hosts.length === 0) continue;
    if (route.connections !== undefined) {
      connections.push(connectionRoute(route, route.connections, hosts, gateways, listener, backends));
      continue;
    }
    const { kind } = route;
    const source = {
      kind,
      metadata: route.metadata,
      listener: { port: listener.port, scheme },
      port: undefined,
      backends,
    } as const;
    const ranked = route.ranked(source);
    for (const host of hosts) {
      const known = ofHosts.get(host);
      if (known === undefined) ofHosts.set(host, { ranked: [...ranked], first: route });
      else known.ranked.push(...ranked);
    }
  }
  const attached = [...ofHosts].map(([host, { ranked, first }]): VirtualService => {
    const { location } = first;
    // A host of one label is meant in the Gateway's namespace, by listener and route alike.
    const inGateway = { ...first.metadata, namespace: metadata.namespace };
    return {
      metadata: inGateway,
      location,
      spec: { hosts: [host], gateways, http: [...inPrecedence(ranked)] },
    };
  });
  const { hostname } = listener;
  if (hostname === undefined || listener.protocol !== "HTTP" || ofHosts.has(hostname))
    return { attached: [...attached, ...connections], rest: [] };
  const spec: VirtualServiceSpec = {
    hosts: [hostname],
    gateways,
    http: [{ name: `${listenerName(served)}.none`, directResponse: { status: 404 } }],
  };
  return { attached, rest: [{ metadata, location: gateway.location, spec }] };
}

/**
 * Whether another listener of HTTP on the port is the most specific one for a host ("listener isolation" of the API reference):
 * its `allowedRoutes` decide which routes the host has.
 */
function isOthers(
  host: string,
  { port, protocol, hostname: own = "*" }: ListenerSpec,
  all: readonly Served[],
) {
  if (protocol !== "HTTP") return false;
  return all.some(({ listener: { hostname = "*", ...other } }) => {
    if (other.protocol !== "HTTP" || other.port !== port) return false;
    return hostCovers(hostname, host) && compareExactness(hostname, own) < 0;
  });
}

function hostsAt(route: AnyRoute, { gateway, listener }: Served): readonly string[] {
  const { name, namespace } = gateway.metadata;
  const parents = route.parents.filter(
    (parent) =>
      isGatewayRef(parent) &&
      parent.name === name &&
      (parent.namespace ?? route.metadata.namespace) === namespace,
  );
  const place = { kind: route.kind, namespace: route.metadata.namespace, hostnames: route.hostnames };
  return [...new Set(parents.flatMap((parent) => attachedHosts(place, parent, listener, namespace)))];
}

function connectionRoute(
  { kind, metadata, location }: AnyRoute,
  rules: TcpRules,
  hosts: readonly string[],
  gateways: string[],
  { tls }: ListenerSpec,
  backends: Backends,
): VirtualService {
  const route = rules.flatMap(({ backendRefs }) =>
    connectionTargets(backendRefs, { kind, namespace: metadata.namespace }, backends),
  );
  const passes = tls?.mode === "Passthrough";
  const routed = passes ? { tls: [{ match: [{ sniHosts: [...hosts] }], route }] } : { tcp: [{ route }] };
  return { metadata, location, spec: { hosts: [...hosts], gateways, ...routed } };
}
