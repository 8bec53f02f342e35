// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isForAll } from "../../core/documents/kinds/export-to.ts";
import { overloadSettingsOf } from "../../core/documents/kinds/overload.ts";
import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import { canonicalHost, compareExactness, hostCovers, splitHost } from "../../core/traffic/host-name.ts";
import { type Labels, selects } from "../../core/traffic/labels.ts";
import type { HttpProtocol } from "../../core/traffic/port-protocol.ts";
import type { Cluster, ServiceIdentity } from "../../core/traffic/resources/cluster.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { loadBalancerOf } from "./load-balancer.ts";
import { localized } from "./localities.ts";
import type { EndpointPeerTls } from "./peer-tls/endpoint-peer-tls.ts";
import { upstreamTlsOf } from "./tls.ts";
import { areSidecars, type Registry, type ServicePort } from "../registry/registry-static.ts";
import { HealthChecks } from "./health-checks.ts";
import { outlierDetectionOf } from "./outlier-detection.ts";
import type { RuleLookup } from "./rule-lookup.ts";
import { type PortPolicy, trafficPolicyOf } from "./traffic-policy.ts";

/** Envoy's default circuit breaker. Istio's default is no limit, which could overload a proxy. */
const DEFAULT_MAX_REQUESTS = 1024;
const DEFAULT_MAX_CONNECTIONS = 1024;
const DEFAULT_MAX_PENDING_REQUESTS = 1024;

/** Istio's default, which means no limit (Envoy's is 3): a route's own number of retries is the limit. */
const DEFAULT_MAX_RETRIES = 2 ** 32 - 1;

/** Envoy's and Istio's defaults of a retry budget. */
const DEFAULT_RETRY_BUDGET = { percent: 20, minRetryConcurrency: 3 };

/** Envoy's and Istio's default. */
const DEFAULT_IDLE_TIMEOUT_MS = 3_600_000;

/** Linux' default, which Istio's users get with `tcpKeepalive: {}`. */
const DEFAULT_KEEPALIVE_TIME = "7200s";

/** Istio's default (Envoy's is 5 s). */
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

/** A route's destination. */
export interface Destination {
  /** As the document writes it. */
  readonly host: string;
  /** Namespace of the document. */
  readonly namespace: string;
  readonly subset?: string | undefined;
  readonly port?: number | undefined;
}

/** Collects the clusters that routes refer to, with their endpoints: a proxy gets these and no others. */
export class ClusterCollector {
  readonly #registry: Registry;
  readonly #rules: RuleLookup;
  /** The proxy's own; empty when unknown. */
  readonly #locality: string;
  /** In order of exactness of the host, then those for the proxy's namespace; equal ones in document order. */
  readonly #overloads: readonly { readonly host: string; readonly settings: OverloadSettings }[];
  readonly #healthChecks: HealthChecks;
  readonly #peerTls: EndpointPeerTls;
  readonly #clusters = new Map<string, Cluster>();
  readonly #assignments = new Map<string, ClusterLoadAssignment>();

  /**
   * @param locality Of the proxy that gets the clusters; empty when unknown.
   * @param peerTls The mutual TLS that the proxy speaks.
   */
  constructor(
    registry: Registry,
    rules: RuleLookup,
    documents: Pick<TrafficDocuments, "healthChecks" | "overloads">,
    locality: string,
    peerTls: EndpointPeerTls,
  ) {
    this.#peerTls = peerTls;
    this.#registry = registry;
    this.#rules = rules;
    this.#locality = locality;
    this.#healthChecks = new HealthChecks(documents.healthChecks, registry);
    this.#overloads = documents.overloads
      .map(({ metadata, spec }) => ({
        host: registry.canonical(spec.host, metadata.namespace),
        settings: overloadSettingsOf(metadata, spec),
        isForAll: isForAll(spec.exportTo),
      }))
      .toSorted((a, b) => compareExactness(a.host, b.host) || Number(a.isForAll) - Number(b.isForAll));
  }

  /** In order of their names. */
  get clusters(): readonly Cluster[] {
    return sortedByName(this.#clusters);
  }

  /** The endpoints of each cluster, in order of the clusters' names. */
  get assignments(): readonly ClusterLoadAssignment[] {
    return sortedByName(this.#assignments);
  }

  /**
   * Adds the destination's cluster and returns its name. A destination without a port gets the service's only
   * port, else the called port, else the first. An unknown service, port or subset gets a missing cluster, so that
   * the reply is 503 and not 404.
   *
   * @param calledPort The port that the client called, when known.
   */
  use(destination: Destination, calledPort: number | undefined): string {
    const service = this.#registry.find(destination.host, destination.namespace);
    const port =
      service?.ports.find(({ number }) => number === (destination.port ?? calledPort)) ??
      (destination.port === undefined ? service?.ports[0] : undefined);
    const identity = service?.identity ?? unknownIdentity(destination);
    const number = port?.number ?? destination.port ?? calledPort ?? 80;
    const name = clusterName("outbound", number, destination.subset, identity.host);
    if (!this.#clusters.has(name)) {
      const rule = service && this.#rules.ruleOf(service, destination.subset);
      const subset = rule?.subsets?.find((candidate) => candidate.name === destination.subset);
      const policy = trafficPolicyOf(rule, destination.subset, number);
      const healthCheck = service && this.#healthChecks.find(service, destination.subset, number);
      this.#clusters.set(name, {
        name,
        service: identity,
        ...(destination.subset === undefined ? {} : { subset: destination.subset }),
        ...(port === undefined || (destination.subset !== undefined && subset === undefined)
          ? { isMissing: true }
          : {}),
        ...settingsOf(policy, identity.host, port?.protocol),
        ...(healthCheck === undefined ? {} : { healthCheck }),
        ...this.#overloadOf(service?.canonicalHost),
      });
      const all = port?.endpoints ?? [];
      const selected =
        destination.subset === undefined ? all : subset === undefined ? [] : select(all, subset.labels);
      const secured = service === undefined ? selected : this.#peerTls.secured(selected, service, policy.tls);
      const placed = localized(secured, this.#locality, policy.loadBalancer?.localityLbSetting);
      this.#assignments.set(name, { name, ...placed, checkedByDestination: areSidecars(placed.endpoints) });
    }
    return name;
  }

  /**
   * The cluster of the application behind a sidecar.
   *
   * @param ofListener The protocol that a Sidecar document says; default: that of the service's port.
   */
  useInbound(service: ServiceIdentity, address: string, port: number, ofListener?: HttpProtocol): string {
    const protocol = this.#inboundPort(service, port)?.protocol;
    const name = clusterName("inbound", port, undefined, "");
    this.#clusters.set(name, {
      name,
      service,
      ...settingsOf({}, service.host, ofListener ?? protocol),
      ...this.#overloadOf(canonicalHost(service.host, service.namespace)),
    });
    const endpoints = [{ address, port, weight: 1, labels: {} }];
    this.#assignments.set(name, { name, endpoints, checkedByDestination: false });
    return name;
  }

  /** Whether the application behind a sidecar takes bytes, as the protocol of its service's port says. */
  carriesBytesInbound(service: ServiceIdentity, port: number): boolean {
    return this.#inboundPort(service, port)?.carriesBytes === true;
  }

  /** The application's port is the target of one of the service's, or its only one's. */
  #inboundPort(service: ServiceIdentity, port: number): ServicePort | undefined {
    const declared = this.#registry.find(service.host, service.namespace)?.ports ?? [];
    const called = declared.find(({ endpoints }) => endpoints.some((endpoint) => endpoint.port === port));
    return called ?? (declared.length === 1 ? declared[0] : undefined);
  }

  #overloadOf(host: string | undefined): { readonly overload?: OverloadSettings } {
    if (host === undefined) return {};
    const found = this.#overloads.find((overload) => hostCovers(overload.host, host));
    return found === undefined ? {} : { overload: found.settings };
  }
}

/** Cluster name in Istio's form: `outbound|9080|v1|reviews`. */
function clusterName(
  direction: "inbound" | "outbound",
  port: number,
  subset: string | undefined,
  host: string,
): string {
  return `${direction}|${port}|${subset ?? ""}|${host}`;
}

function unknownIdentity({ host, namespace }: Destination): ServiceIdentity {
  return { host, ...splitHost(canonicalHost(host, namespace), namespace) };
}

function sortedByName<R extends { readonly name: string }>(resources: ReadonlyMap<string, R>): readonly R[] {
  return [...resources.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function select(endpoints: readonly Endpoint[], labels: Labels = {}): readonly Endpoint[] {
  return endpoints.filter((endpoint) => selects(labels, endpoint.labels));
}

/** @param declared The protocol of the service's port. */
function settingsOf(policy: PortPolicy, host: string, declared: HttpProtocol | undefined) {
  const { tcp, http } = policy.connectionPool ?? {};
  const { retryBudget, proxyProtocol } = policy;
  const outlierDetection = outlierDetectionOf(policy.outlierDetection);
  const tls = upstreamTlsOf(policy.tls, host);
  const isGrpcWeb = declared === "grpc-web";
  const isHttp2 = declared === "http2" || isGrpcWeb || http?.h2UpgradePolicy === "UPGRADE";
  return {
    ...(isHttp2 ? { protocol: "http2" as const } : {}),
    ...(isGrpcWeb ? { grpcWeb: true } : {}),
    ...(http?.maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams: http.maxConcurrentStreams }),
    ...(tls === undefined ? {} : { tls }),
    loadBalancer: loadBalancerOf(policy.loadBalancer),
    connectTimeoutMs: parseDurationMs(tcp?.connectTimeout ?? "") ?? DEFAULT_CONNECT_TIMEOUT_MS,
    maxRequests: http?.http2MaxRequests ?? DEFAULT_MAX_REQUESTS,
    maxRetries: http?.maxRetries ?? DEFAULT_MAX_RETRIES,
    ...(retryBudget === undefined ? {} : { retryBudget: { ...DEFAULT_RETRY_BUDGET, ...retryBudget } }),
    ...(outlierDetection === undefined ? {} : { outlierDetection }),
    maxConnectionsPerEndpoint: tcp?.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    maxPendingRequestsPerEndpoint: http?.http1MaxPendingRequests ?? DEFAULT_MAX_PENDING_REQUESTS,
    maxRequestsPerConnection: http?.maxRequestsPerConnection ?? 0,
    maxConnectionDurationMs: parseDurationMs(tcp?.maxConnectionDuration ?? "") ?? 0,
    connectionIdleTimeoutMs: parseDurationMs(http?.idleTimeout ?? "") ?? DEFAULT_IDLE_TIMEOUT_MS,
    ...(tcp?.idleTimeout === undefined ? {} : { tcpIdleTimeoutMs: parseDurationMs(tcp.idleTimeout) ?? 0 }),
    ...(proxyProtocol === undefined
      ? {}
      : { proxyProtocol: proxyProtocol.version === "V2" ? (2 as const) : (1 as const) }),
    tcpKeepaliveTimeMs:
      tcp?.tcpKeepalive === undefined
        ? 0
        : (parseDurationMs(tcp.tcpKeepalive.time ?? DEFAULT_KEEPALIVE_TIME) ?? 0),
  };
}
