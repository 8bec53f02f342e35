// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { LoadBalancer } from "./load-balancer.ts";
import type { OverloadSettings } from "./overload.ts";
import type { HealthCheck } from "./health-check.ts";
import type { OutlierDetection } from "./outlier-detection.ts";
import type { UpstreamTls } from "./tls.ts";

/**
 * A destination of routes, with its connection settings. Its endpoints are the `ClusterLoadAssignment` of the
 * same name.
 */
export interface Cluster {
  /** Istio's form: `outbound|PORT|SUBSET|HOST`, `inbound|PORT||`. */
  readonly name: string;
  readonly service: ServiceIdentity;
  readonly subset?: string;
  /** No document declares the service, its port or its subset, so that the cluster has no endpoints; absent: one does. */
  readonly isMissing?: true;
  readonly loadBalancer: LoadBalancer;
  /** Maximum time to open a connection, and to wait for one. */
  readonly connectTimeoutMs: number;
  /** Maximum number of requests under way; further requests get 503 at once. Envoy's default: 1024. */
  readonly maxRequests: number;
  /** Maximum number of retries under way, while there is no `retryBudget`. Istio's default: 2^32 - 1. */
  readonly maxRetries: number;
  /** Maximum number of retries under way, relative to the requests. */
  readonly retryBudget?: RetryBudget;
  /** Maximum number of connections to one endpoint. */
  readonly maxConnectionsPerEndpoint: number;
  /**
   * Maximum number of requests that wait for a connection to one endpoint; further requests get 503 at once.
   * Envoy's default: 1024.
   */
  readonly maxPendingRequestsPerEndpoint: number;
  /** Number of requests after which a connection is closed; 0 for no limit. */
  readonly maxRequestsPerConnection: number;
  /** Age at which a connection is closed, once no request is under way on it; 0 for no limit. */
  readonly maxConnectionDurationMs: number;
  /** Time without a request after which a connection is closed; 0 for no limit. Envoy's default: 1 h. */
  readonly connectionIdleTimeoutMs: number;
  /** Idle time before the first TCP keep-alive probe; 0 for no probes. */
  readonly tcpKeepaliveTimeMs: number;
  /** Time without a byte after which a forwarded TCP connection is closed; 0 for no limit; default 1 h, as in Envoy. */
  readonly tcpIdleTimeoutMs?: number;
  /** Version of the PROXY protocol's header that each connection begins with; default none. */
  readonly proxyProtocol?: 1 | 2;
  /** Absent: no request is shed. */
  readonly overload?: OverloadSettings;
  /** The protocol towards the endpoints; default `http1`. `http2` is spoken with prior knowledge. */
  readonly protocol?: "http1" | "http2";
  /** Whether clients call the port in gRPC-Web, which proxies translate to gRPC; default false. */
  readonly grpcWeb?: boolean;
  /** Maximum number of requests under way on a connection of HTTP/2; default no limit but the endpoint's. */
  readonly maxConcurrentStreams?: number;
  /** Default: connections to endpoints are plain text. */
  readonly tls?: UpstreamTls;
  /** Absent for no active health checks. */
  readonly healthCheck?: HealthCheck;
  /** Absent for no ejections. */
  readonly outlierDetection?: OutlierDetection;
}

/** Limit of the retries under way, in proportion to the requests: Envoy's retry budget. */
export interface RetryBudget {
  /** Percentage of the requests under way, 0 to 100. */
  readonly percent: number;
  /** Number of retries that may be under way in any case. */
  readonly minRetryConcurrency: number;
}

/** The destination's identity in attributes: `destination.service.*`. */
export interface ServiceIdentity {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
}
