// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  attachedHosts,
  isGatewayRef,
  isServiceRef,
  type RouteKind,
} from "../../../core/documents/kinds/gateway-api/attachment.ts";
import { GATEWAY_API_GROUP, type ParentRefSpec } from "../../../core/documents/kinds/gateway-api/fields.ts";
import type {
  KubernetesGatewaySpec,
  ListenerSpec,
} from "../../../core/documents/kinds/gateway-api/gateway.ts";
import { mayRefer } from "../../../core/documents/kinds/gateway-api/reference-grant.ts";
import type { GatewayServerSpec, GatewaySpec } from "../../../core/documents/kinds/gateway.ts";
import type { Metadata } from "../../../core/documents/kinds/kind.ts";
import { GATEWAY_NAME_LABEL } from "../../../core/documents/kinds/target-refs.ts";
import {
  MESH_GATEWAY,
  type VirtualServiceSpec,
} from "../../../core/documents/kinds/virtual-service-schema.ts";
import type {
  GatewayApiDocuments,
  TrafficDocument,
  TrafficDocuments,
} from "../../../core/snapshot/snapshot.ts";
import { canonicalHost } from "../../../core/traffic/host-name.ts";
import { createRegistry } from "../../registry/registry.ts";
import type { Workload } from "../workload.ts";
import { type Backends, connectionTargets } from "./backends.ts";
import { inPrecedence, type RankedRoute } from "./precedence.ts";
import { grpcRoutesOf, httpRoutesOf, type RuleSource } from "./rules.ts";

type VirtualService = TrafficDocument<VirtualServiceSpec>;
type Gateway = TrafficDocument<GatewaySpec>;

/**
 * The documents with those of the Gateway API in Istio's form after Istio's own: each listener is a Gateway, and each of
 * its hosts a VirtualService with all rules for the host in the order of precedence.
 *
 * @param workload The workload whose proxy the documents are for.
 */
export function withGatewayApi(documents: TrafficDocuments, workload: Workload): TrafficDocuments {
  const { gatewayApi } = documents;
  if (gatewayApi === undefined || isEmpty(gatewayApi)) return documents;
  const backends = { registry: createRegistry(documents), grants: gatewayApi.referenceGrants };
  const served = gatewayApi.gateways.flatMap((gateway) =>
    gateway.spec.listeners.map((listener) => ({ gateway, listener })),
  );
  const routes = routesOf(gatewayApi);
  const ofListeners = served.map((each) => listenerRoutes(each, routes, backends));
  return {
    ...documents,
    gateways: [
      ...documents.gateways,
      // An edge that no listener is for must not expose the whole mesh, which it does without any Gateway.
      ...gatewayApi.gateways.map(({ metadata, location }) => ({
        metadata: { ...metadata, name: `${metadata.name}:` },
        location,
        spec: { servers: [] },
      })),
      ...served.flatMap((each) => serverOf(each, gatewayApi, workload)),
    ],
    virtualServices: [
      ...documents.virtualServices,
      ...meshRoutes(routes, workload, backends),
      ...ofListeners.flatMap(({ attached }) => attached),
      ...ofListeners.flatMap(({ rest }) => rest),
    ],
  };
}

function isEmpty({ gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes }: GatewayApiDocuments): boolean {
  return [gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes].every(({ length }) => length === 0);
}

/** A route document of any kind. */
interface AnyRoute {
  readonly kind: RouteKind;
  readonly metadata: Metadata;
  readonly location: VirtualService["location"];
  readonly parents: readonly ParentRefSpec[];
  readonly hostnames: readonly string[] | undefined;
  /** The routes of requests; empty for connections. */
  readonly ranked: (source: RuleSource) => readonly RankedRoute[];
  readonly connections: TcpRules | undefined;
}

type TcpRules = GatewayApiDocuments["tcpRoutes"][number]["spec"]["rules"];

/** In document order within a kind; HTTPRoutes before GRPCRoutes. */
function routesOf({
  httpRoutes,
  grpcRoutes,
  tlsRoutes,
  tcpRoutes,
}: GatewayApiDocuments): readonly AnyRoute[] {
  const common = <
    S extends { readonly parentRefs?: readonly ParentRefSpec[]; readonly hostnames?: readonly string[] },
  >(
    { metadata, location, spec }: TrafficDocument<S>,
    kind: RouteKind,
  ) => ({ kind, metadata, location, parents: spec.parentRefs ?? [], hostnames: spec.hostnames });
  const connections = (documents: GatewayApiDocuments["tlsRoutes"], kind: RouteKind) =>
    documents.map((document) => ({
      ...common(document, kind),
      ranked: () => [],
      connections: document.spec.rules,
    }));
  return [
    ...httpRoutes.map((document) => ({
      ...common(document, "HTTPRoute"),
      ranked: (source: RuleSource) => httpRoutesOf(document.spec, source),
      connections: undefined,
    })),
    ...grpcRoutes.map((document) => ({
      ...common(document, "GRPCRoute"),
      ranked: (source: RuleSource) => grpcRoutesOf(document.spec, source),
      connections: undefined,
    })),
    ...connections(tlsRoutes, "TLSRoute"),
    ...connections(tcpRoutes, "TCPRoute"),
  ];
}

interface Served {
  readonly gateway: TrafficDocument<KubernetesGatewaySpec>;
  readonly listener: ListenerSpec;
}

/** The Gateway of one listener. A document's own name has no colon, so that no other Gateway has the name. */
function listenerName({ gateway, listener }: Served): string {
  return `${gateway.metadata.name}:${listener.name}`;
}

/**
 * The listener as a Gateway; none when it may not use its certificate. An edge with the label of a Gateway's name serves
 * that Gateway alone.
 */
function serverOf(
  served: Served,
  { referenceGrants }: GatewayApiDocuments,
  workload: Workload,
): readonly Gateway[] {
  const { gateway, listener } = served;
  const { metadata, location } = gateway;
  const { port, protocol, hostname = "*", tls } = listener;
  const isTls = protocol === "HTTPS" || protocol === "TLS";
  const server: GatewayServerSpec = {
    port: { number: port, name: listener.name, protocol },
    hosts: [hostname],
  };
  const selector =
    workload.labels[GATEWAY_NAME_LABEL] === undefined
      ? {}
      : { selector: { [GATEWAY_NAME_LABEL]: metadata.name } };
  const document = (each: GatewayServerSpec): Gateway => ({
    metadata: { ...metadata, name: listenerName(served) },
    location,
    spec: { ...selector, servers: [each] },
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

function listenerRoutes(served: Served, routes: readonly AnyRoute[], backends: Backends): ListenerRoutes {
  const { gateway, listener } = served;
  const { metadata } = gateway;
  const scheme = listener.protocol === "HTTPS" ? "https" : "http";
  const gateways = [`${metadata.namespace}/${listenerName(served)}`];
  const ofHosts = new Map<string, { readonly ranked: RankedRoute[]; readonly first: AnyRoute }>();
  const connections: VirtualService[] = [];
  for (const route of routes) {
    const hosts = hostsAt(route, served);
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

/**
 * Routes with a Service as parent, for the calls of sidecars. Routes of the caller's own namespace (consumer routes) come
 * before those of the service's (producer routes), and routes of other namespaces are not for the caller (GEP-1226).
 */
function meshRoutes(
  routes: readonly AnyRoute[],
  { namespace }: Workload,
  backends: Backends,
): readonly VirtualService[] {
  const ofServices = new Map<string, { readonly producer: AnyRoute[]; readonly consumer: AnyRoute[] }>();
  for (const route of routes) {
    if (route.connections !== undefined) continue;
    for (const parent of route.parents.filter(isServiceRef)) {
      const { name, namespace: ofService = route.metadata.namespace } = parent;
      const host = canonicalHost(name, ofService);
      const known = ofServices.get(host) ?? { producer: [], consumer: [] };
      ofServices.set(host, known);
      const single = { ...route, parents: [parent] };
      if (route.metadata.namespace === ofService) known.producer.push(single);
      else if (route.metadata.namespace === namespace) known.consumer.push(single);
    }
  }
  return [...ofServices].flatMap(([host, { producer, consumer }]) => {
    const used = consumer.length > 0 ? consumer : producer;
    const [first] = used;
    if (first === undefined) return [];
    const { metadata, location } = first;
    const ranked = used.flatMap((route) => {
      const port = route.parents[0]?.port;
      return route.ranked({
        kind: route.kind,
        metadata: route.metadata,
        listener: undefined,
        port,
        backends,
      });
    });
    const spec: VirtualServiceSpec = {
      hosts: [host],
      gateways: [MESH_GATEWAY],
      http: [...inPrecedence(ranked)],
    };
    return [{ metadata, location, spec }];
  });
}
