// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { GatewayServerSpec } from "../../core/documents/kinds/gateway.ts";
import { DEFAULT_NAMESPACE, displayName } from "../../core/documents/kinds/kind.ts";
import { LOOPBACK } from "../../core/documents/kinds/sidecar.ts";
import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { canonicalHost, splitHost } from "../../core/traffic/host-name.ts";
import { selects } from "../../core/traffic/labels.ts";
import type { ServiceIdentity } from "../../core/traffic/resources/cluster.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { RouteTable } from "../../core/traffic/resources/route.ts";
import { NO_RETRIES } from "../../core/traffic/retry.ts";
import { ClusterCollector } from "./clusters.ts";
import { documentsExportedTo } from "./exports.ts";
import { withGatewayApi } from "./gateway-api/lower.ts";
import { createRegistry } from "../registry/registry.ts";
import type { Registry } from "../registry/registry-static.ts";
import { egressTcp } from "./egress-tcp.ts";
import { EndpointPeerTls } from "./peer-tls/endpoint-peer-tls.ts";
import { listenerPeerTls } from "./peer-tls/listener-peer-tls.ts";
import { type PeerTlsModes, settledModes } from "./peer-tls/peer-tls-modes.ts";
import { withRequestAuthentication } from "./request-authentication.ts";
import { resolveDelegates } from "./delegates.ts";
import { resourceSetOf } from "./resource-set.ts";
import { defaultRoute } from "./routes.ts";
import { RuleLookup } from "./rule-lookup.ts";
import { labelsOf, type Workload } from "./workload.ts";
import { egressListenersOf, type InboundPort, inboundPortsOf, sidecarScopeOf } from "./sidecar-scope.ts";
import { edgeTcpOf, inboundTcp } from "./tcp.ts";
import { serversOf, tlsServersOf } from "./tls.ts";
import { gatewayVirtualHosts, meshVirtualHosts, type ServersOfPort } from "./virtual-hosts.ts";

type EdgeNode = Extract<ProxyNode, { readonly role: "edge" }>;
type SidecarNode = Extract<ProxyNode, { readonly role: "sidecar" }>;

/** The proxy that resources are for, and the mesh as it sees it. */
interface Client {
  readonly workload: Workload;
  /** The service whose sidecar the proxy is; undefined for an edge. */
  readonly service: ServiceIdentity | undefined;
  readonly registry: Registry;
  readonly clusters: ClusterCollector;
  readonly peerModes: PeerTlsModes;
}

interface ListenersAndRoutes {
  readonly listeners: readonly Listener[];
  readonly routeTables: readonly RouteTable[];
}

/**
 * Translates documents, which were checked, to the resources of `node`. Deterministic: equal documents and nodes get equal
 * versions.
 *
 * @param peerModes The mutual TLS of workloads while it changes; default: as the documents say.
 */
export function translate(
  given: TrafficDocuments,
  node: ProxyNode,
  peerModes: PeerTlsModes = settledModes(given),
): TrafficResources {
  // The service of a sidecar is found among all services: it may be exported to other namespaces alone.
  const service = identityOf(node, createRegistry(given));
  const namespace = node.namespace ?? service?.namespace ?? DEFAULT_NAMESPACE;
  const workload = { namespace, labels: labelsOf(node) };
  const routed = withGatewayApi(given, workload);
  const documents = { ...routed, virtualServices: resolveDelegates(routed.virtualServices) };
  const visible = documentsExportedTo(namespace, documents);
  const registry = createRegistry(visible);
  const rules = new RuleLookup(visible, registry, workload);
  const peerTls = new EndpointPeerTls(node.mtls === true, peerModes, registry, documents.trustDomains);
  const clusters = new ClusterCollector(registry, rules, visible, node.locality ?? "", peerTls);
  const client: Client = { workload, service, registry, clusters, peerModes };
  const { listeners, routeTables } =
    node.role === "edge" ? edgeParts(visible, node, client) : sidecarParts(visible, node, client);
  return {
    clusters: resourceSetOf(clusters.clusters),
    endpoints: resourceSetOf(clusters.assignments),
    listeners: resourceSetOf(withRequestAuthentication(listeners, documents, workload)),
    routes: resourceSetOf(routeTables),
  };
}

/**
 * A listener for each port of the Gateways that select the proxy; without Gateways, one for all the mesh's services on the node's
 * own port.
 */
function edgeParts(
  documents: TrafficDocuments,
  node: EdgeNode,
  { workload, registry, clusters }: Client,
): ListenersAndRoutes {
  const { virtualServices } = documents;
  const gateways = documents.gateways.filter(({ spec }) => selects(spec.selector ?? {}, workload.labels));
  const ports = new Set(gateways.flatMap(({ spec }) => spec.servers.map(({ port }) => port.number)));
  // An edge that no Gateway selects, while there are Gateways, exposes nothing.
  if (documents.gateways.length === 0) {
    const { services } = registry;
    const sees = ({ internal }: { internal: boolean }) => internal;
    const client = { workload, services, virtualServices, sees };
    const virtualHosts = meshVirtualHosts(registry, clusters, client);
    return {
      listeners: [edgeListener(node, node.port, documents)],
      routeTables: [{ name: edgeTableName(node.port), virtualHosts }],
    };
  }
  const tableOf = (name: string, port: number, served: readonly ServersOfPort[]): RouteTable => ({
    name,
    virtualHosts: gatewayVirtualHosts(served, port, virtualServices, clusters, workload),
  });
  const parts = [...ports]
    .toSorted((a, b) => a - b)
    .map((port) => {
      const edge = { ...edgeListener(node, port, documents), origin: originOf(gateways, port) };
      const tlsServers = tlsServersOf(gateways, port);
      const tcp = edgeTcpOf(port, tlsServers, { gateways, virtualServices, clusters, workload });
      if (tlsServers.length === 0 && tcp === undefined) {
        const served = gateways.map((gateway) => ({ gateway, servers: serversOf(gateway, port) }));
        const table = tableOf(edgeTableName(port), port, served);
        const isGrpcWeb = served.some(({ servers }) => servers.some(speaksGrpcWeb));
        return { listeners: [isGrpcWeb ? { ...edge, grpcWeb: true } : edge], routeTables: [table] };
      }
      // Each server has routes of its own: a connection that one server accepted never reaches another server's hosts.
      const routeTables = tlsServers.flatMap(({ tls, gateway, server }) =>
        tls.protocol === "tcp" ? [] : [tableOf(tls.routeTable, port, [{ gateway, servers: [server] }])],
      );
      const listener: Listener = {
        ...edge,
        ...(tlsServers.length === 0 ? {} : { tlsServers: tlsServers.map(({ tls }) => tls) }),
        ...(tcp === undefined ? {} : { tcp }),
      };
      return { listeners: [listener], routeTables };
    });
  return {
    listeners: parts.flatMap(({ listeners }) => listeners),
    routeTables: parts.flatMap(({ routeTables }) => routeTables),
  };
}

/** The servers with a port, as in `server http of Gateway shop/edge`; texts for people. */
function originOf(gateways: TrafficDocuments["gateways"], port: number): string {
  const named = gateways.flatMap((gateway) => {
    // A listener of a Gateway of Kubernetes is a Gateway of its own here, named GATEWAY:LISTENER.
    const [name = "", listener] = gateway.metadata.name.split(":");
    const document = displayName({ ...gateway.metadata, name });
    return serversOf(gateway, port).map((server) =>
      listener === undefined
        ? `server ${server.port.name} of Gateway ${document}`
        : `listener ${listener} of Gateway ${document}`,
    );
  });
  const [first = ""] = named;
  return named.length > 1 ? `${first} and ${named.length - 1} more` : first;
}

function edgeListener(
  { host, trustedHops }: EdgeNode,
  port: number,
  { pathNormalization, limits, tracing, rateLimitHeaders, proxyProtocol }: TrafficDocuments,
): Listener {
  return {
    name: `${host}_${port}`,
    host,
    port,
    direction: "outbound",
    routeTable: edgeTableName(port),
    edge: true,
    trustedHops,
    pathNormalization,
    limits,
    ...(tracing === undefined ? {} : { tracing }),
    ...(rateLimitHeaders === undefined ? {} : { rateLimitHeaders }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
  };
}

function speaksGrpcWeb({ port }: GatewayServerSpec): boolean {
  return port.protocol === "GRPC-WEB";
}

/** Name in Istio's form. */
function edgeTableName(port: number): string {
  return `http.${port}`;
}

/**
 * A sidecar's listeners: outbound for calls of its service, inbound for calls to it. The outbound listener for all services is
 * on loopback, since it sends requests in its workload's name.
 */
function sidecarParts(
  documents: TrafficDocuments,
  node: SidecarNode,
  { workload, service, registry, clusters, peerModes }: Client,
): ListenersAndRoutes {
  const scope = sidecarScopeOf(documents, registry, workload);
  const client = { ...scope, workload, sees: () => true };
  const listeners = [sidecarListener("outbound", LOOPBACK, node.outboundPort, documents)];
  const routeTables: RouteTable[] = [
    { name: "outbound", virtualHosts: meshVirtualHosts(registry, clusters, client) },
  ];
  for (const egress of egressListenersOf(documents, registry, workload)) {
    const { host, port, carried } = egress;
    const name = `outbound_${host}_${port}`;
    const origin = "the egress of a Sidecar";
    const listener = {
      ...sidecarListener("outbound", host, port, documents),
      name,
      routeTable: name,
      origin,
    };
    if (carried !== "http") {
      listeners.push({ ...listener, tcp: egressTcp(name, egress, { registry, clusters, workload }) });
      continue;
    }
    listeners.push(listener);
    routeTables.push({ name, virtualHosts: meshVirtualHosts(registry, clusters, { ...client, ...egress }) });
  }
  const ofFlags: readonly InboundPort[] =
    node.inbound === undefined ? [] : [{ host: node.host, ...node.inbound }];
  const ofDocument = inboundPortsOf(documents, workload, node.host);
  for (const { host, port, appHost, appPort, protocol } of ofDocument ?? ofFlags) {
    if (service === undefined) break;
    const ofListener = protocol === "bytes" ? undefined : protocol;
    const cluster = clusters.useInbound(service, appHost, appPort, ofListener);
    const peerTls = listenerPeerTls(peerModes.ofServer(workload, port), node, documents.trustDomains);
    const origin = ofDocument === undefined ? {} : { origin: "the ingress of a Sidecar" };
    const listener = { ...sidecarListener("inbound", host, port, documents), ...peerTls, ...origin };
    // Each port of a document goes to an application of its own.
    const name = ofDocument === undefined ? listener.name : `inbound_${port}`;
    const carriesBytes =
      protocol === "bytes" || (protocol === undefined && clusters.carriesBytesInbound(service, appPort));
    if (carriesBytes) {
      listeners.push({ ...listener, name, tcp: inboundTcp(cluster) });
      continue;
    }
    listeners.push({ ...listener, name, routeTable: name });
    routeTables.push({
      name,
      // Only the caller's sidecar retries: retries on both sides would multiply.
      virtualHosts: [
        { name: `inbound:${appPort}`, domains: ["*"], routes: [defaultRoute(cluster, NO_RETRIES)] },
      ],
    });
  }
  return { listeners, routeTables };
}

function sidecarListener(
  direction: Listener["direction"],
  host: string,
  port: number,
  { pathNormalization, limits, tracing, rateLimitHeaders }: TrafficDocuments,
): Listener {
  const name = direction;
  return {
    name,
    host,
    port,
    direction,
    routeTable: direction,
    edge: false,
    trustedHops: 0,
    pathNormalization,
    limits,
    ...(tracing === undefined ? {} : { tracing }),
    ...(rateLimitHeaders === undefined ? {} : { rateLimitHeaders }),
  };
}

/**
 * Identity of the sidecar's service; undefined for an edge. A service without a ServiceEntry can still make
 * calls, under its own name.
 */
function identityOf(node: ProxyNode, registry: Registry): ServiceIdentity | undefined {
  if (node.role === "edge") return undefined;
  const { service, namespace = DEFAULT_NAMESPACE } = node;
  return (
    registry.find(service, namespace)?.identity ??
    registry.services.find(({ identity }) => identity.name === service)?.identity ?? {
      host: service,
      ...splitHost(canonicalHost(service, namespace), namespace),
    }
  );
}
