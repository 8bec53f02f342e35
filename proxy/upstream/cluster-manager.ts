// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CompileExpression, Expression } from "../../core/expressions/expression.ts";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { isSameResource } from "../../core/traffic/resources/resource-set.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import { Cluster, type ClusterLoad, newClusterLoad } from "./cluster.ts";
import { ClusterEndpoint, EndpointSet } from "./endpoint-set.ts";
import { CheckQueue } from "./health/check-queue.ts";
import { ClusterHealth, type HealthServices } from "./health/cluster-health.ts";
import { HealthLog } from "./health/health-log.ts";
import type { ClientSettings } from "../transport/contract/client.ts";
import type { Transport } from "../transport/contract/transport.ts";
import { Overload } from "./overload.ts";
import { OverloadGate } from "./overload-gate.ts";
import type { TlsFault } from "../transport/tls/client/tls-fault.ts";
import type { CredentialStore } from "../transport/tls/credentials/credential-store.ts";
import type { MeshTls } from "../transport/tls/peers/mesh-tls.ts";
import { PoolsByClient } from "./pools-by-client.ts";
import { Upstream } from "./upstream.ts";

/** Envoy's limit for a header block. */
const MAX_RESPONSE_HEADER_BYTES = 60 * 1024;

/** Maximum number of active health checks under way: each takes up a socket until its deadline. */
const MAX_HEALTH_CHECKS = 100;

/** Istio's default: only the upstream limits them. */
const MAX_CONCURRENT_STREAMS = 2 ** 31 - 1;

/** An upstream with the number of endpoint sets that use it. */
interface SharedUpstream {
  readonly upstream: Upstream;
  readonly references: RefCounted;
}

export interface ClusterRuntime extends Runtime {
  /** Compiles the priorities of Overload documents. */
  readonly compile: CompileExpression;
  /** Mutual TLS with other proxies; undefined for a proxy without a workload's certificate. */
  readonly mesh?: MeshTls | undefined;
}

/** All clusters of a snapshot, and their endpoint sets under the same names. */
export interface ClusterSet {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
}

export const NO_CLUSTERS: ClusterSet = { clusters: new Map(), endpoints: new Map() };

/**
 * Builds cluster sets from resources and shares unchanged parts: a cluster with the same settings keeps its
 * object, a cluster with the same settings and endpoints its load balancer, an endpoint its connections; a
 * cluster's count of requests under way spans all its versions. An endpoint that no live set uses any more is
 * drained.
 */
export class ClusterManager {
  readonly #transport: Transport;
  readonly #credentials: CredentialStore;
  readonly #runtime: ClusterRuntime;
  readonly #upstreams = new Map<string, SharedUpstream>();
  readonly #loads = new Map<string, ClusterLoad>();
  readonly #healthServices: HealthServices;
  /** Of the newest clusters that have health checks or outlier detection, by name. */
  readonly #health = new Map<string, ClusterHealth>();
  #newest: ClusterSet = NO_CLUSTERS;

  /** @param credentials Certificates of the connections with TLS. */
  constructor(transport: Transport, credentials: CredentialStore, runtime: ClusterRuntime) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#runtime = runtime;
    this.#healthServices = {
      transport,
      runtime,
      queue: new CheckQueue(MAX_HEALTH_CHECKS),
      log: new HealthLog(runtime.logger, runtime.clock),
    };
  }

  /** Builds a set, which must be returned with `release`. Assignments for unknown clusters are ignored. */
  build(configs: readonly ClusterConfig[], assignments: readonly ClusterLoadAssignment[]): ClusterSet {
    const assignmentOf = new Map(assignments.map((assignment) => [assignment.name, assignment] as const));
    const clusters = new Map<string, Cluster>();
    const endpoints = new Map<string, EndpointSet>();
    for (const config of configs) {
      const { name } = config;
      const cluster = this.#clusterFor(config);
      const set = this.#endpointsFor(cluster, assignmentOf.get(name) ?? noEndpoints(name));
      clusters.set(name, cluster);
      endpoints.set(name, set);
      this.#updateHealth(set);
    }
    for (const name of this.#health.keys()) if (!clusters.has(name)) this.#endHealth(name);
    this.#newest = { clusters, endpoints };
    return this.#newest;
  }

  /** Releases the set, when no request uses it any more. */
  release({ endpoints }: ClusterSet): void {
    for (const [name, set] of endpoints) {
      set.release();
      if (this.#loads.get(name)?.active === 0 && !this.#newest.clusters.has(name)) this.#loads.delete(name);
    }
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    for (const name of this.#health.keys()) this.#endHealth(name);
    const closing = [...this.#upstreams.values()].map(({ upstream }) => upstream.destroy());
    this.#upstreams.clear();
    await Promise.allSettled(closing);
  }

  #clusterFor(config: ClusterConfig): Cluster {
    const earlier = this.#newest.clusters.get(config.name);
    if (earlier !== undefined && isSameResource(earlier.config, config)) return earlier;
    let load = this.#loads.get(config.name);
    if (load === undefined) {
      load = newClusterLoad();
      this.#loads.set(config.name, load);
    }
    return new Cluster(config, load, this.#overloadFor(config, load));
  }

  #overloadFor({ name, overload: settings }: ClusterConfig, load: ClusterLoad): Overload | undefined {
    if (settings === undefined) {
      load.gate?.open();
      return undefined;
    }
    if (load.gate === undefined) load.gate = new OverloadGate(settings, this.#runtime);
    else load.gate.configure(settings);
    return new Overload(load.gate, this.#priorityOf(name, settings), this.#runtime.clock);
  }

  /** Mixer and pilot have checked the expression, but a proxy of another version may not know all of it. */
  #priorityOf(cluster: string, { document, priority }: OverloadSettings): Expression | undefined {
    if (priority === undefined) return undefined;
    const compiled = this.#runtime.compile(priority);
    if (compiled.ok) return compiled.expression;
    const { message } = compiled.fault;
    this.#runtime.logger.warn("the priority of an Overload document cannot be read", {
      document,
      cluster,
      message,
    });
    return undefined;
  }

  /** The caller must release the set. */
  #endpointsFor(cluster: Cluster, assignment: ClusterLoadAssignment): EndpointSet {
    const earlier = this.#newest.endpoints.get(assignment.name);
    if (earlier?.cluster === cluster && isSameResource(earlier.assignment, assignment)) {
      earlier.hold();
      return earlier;
    }
    const shared = assignment.endpoints.map((endpoint) => this.#hold(cluster, endpoint));
    const endpoints = assignment.endpoints.map(
      (endpoint, index) =>
        new ClusterEndpoint(endpoint, (shared[index] as SharedUpstream).upstream, cluster.config.protocol),
    );
    const set: EndpointSet = new EndpointSet(cluster, assignment, endpoints, this.#runtime, () => {
      this.#health.get(assignment.name)?.release(set);
      for (const { references } of shared) references.release();
    });
    return set;
  }

  #updateHealth(set: EndpointSet): void {
    const { config, load } = set.cluster;
    const { name, healthCheck, outlierDetection } = config;
    const isWanted = healthCheck !== undefined || outlierDetection !== undefined;
    const known = this.#health.get(name);
    if (known === undefined && !isWanted) return;
    const health = known ?? new ClusterHealth(name, load.health, this.#healthServices);
    // Also the first version without any: its endpoints may be ejected still.
    health.update(set);
    if (isWanted) this.#health.set(name, health);
    else this.#health.delete(name);
  }

  #endHealth(cluster: string): void {
    this.#health.get(cluster)?.close();
    this.#health.delete(cluster);
  }

  #hold(cluster: Cluster, endpoint: Endpoint): SharedUpstream {
    const { config } = cluster;
    const key = keyOf(config, endpoint);
    const known = this.#upstreams.get(key);
    if (known !== undefined) {
      known.references.hold();
      return known;
    }
    const tls = endpoint.tls ?? config.tls;
    const settings: ClientSettings = {
      host: endpoint.address,
      port: endpoint.port,
      protocol: config.protocol ?? "http1",
      maxConcurrentStreams: config.maxConcurrentStreams ?? MAX_CONCURRENT_STREAMS,
      connectTimeoutMs: config.connectTimeoutMs,
      maxConnections: config.maxConnectionsPerEndpoint,
      maxPendingRequests: config.maxPendingRequestsPerEndpoint,
      maxRequestsPerConnection: config.maxRequestsPerConnection,
      maxConnectionDurationMs: config.maxConnectionDurationMs,
      idleTimeoutMs: config.connectionIdleTimeoutMs,
      tcpKeepaliveTimeMs: config.tcpKeepaliveTimeMs,
      maxHeaderBytes: MAX_RESPONSE_HEADER_BYTES,
      tls,
      proxyProtocol: config.proxyProtocol,
      credentials: this.#credentials,
      ...(tls === undefined
        ? {}
        : { onTlsFault: (fault: TlsFault) => this.#noteTlsFault(cluster, endpoint, fault) }),
      mesh: this.#runtime.mesh,
      clock: this.#runtime.clock,
      scheduler: this.#runtime.scheduler,
    };
    const createClient = (each: ClientSettings) => this.#transport.createClient(each);
    const client =
      config.proxyProtocol === undefined ? createClient(settings) : new PoolsByClient(settings, createClient);
    const nowMs = this.#runtime.clock.monotonicMs();
    const createDialer = () => this.#transport.createDialer(settings);
    const upstream = new Upstream(endpoint, settings, client, createDialer, cluster.load, nowMs);
    const references = new RefCounted(() => {
      this.#upstreams.delete(key);
      this.#drain(upstream);
    });
    const shared = { upstream, references };
    this.#upstreams.set(key, shared);
    return shared;
  }

  #noteTlsFault({ config, load }: Cluster, { address, port }: Endpoint, fault: TlsFault): void {
    const place = { cluster: config.name, endpoint: `${address}:${port}` };
    load.tlsFaults.note(fault, place, this.#runtime);
  }

  #drain(upstream: Upstream): void {
    upstream.close().catch((error: unknown) => {
      this.#runtime.logger.warn("closing an endpoint's connections failed", { error: messageOf(error) });
    });
  }
}

function noEndpoints(name: string): ClusterLoadAssignment {
  return { name, endpoints: [], checkedByDestination: false };
}

/** Endpoints with the same key share their connections. */
function keyOf(config: ClusterConfig, { address, port, tls = config.tls }: Endpoint): string {
  return [
    config.name,
    address,
    port,
    config.connectTimeoutMs,
    config.maxConnectionsPerEndpoint,
    config.maxPendingRequestsPerEndpoint,
    config.maxRequestsPerConnection,
    config.maxConnectionDurationMs,
    config.connectionIdleTimeoutMs,
    config.tcpKeepaliveTimeMs,
    config.proxyProtocol,
    config.protocol,
    config.maxConcurrentStreams,
    JSON.stringify(tls),
  ].join(" ");
}
