// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Active health checking of a cluster's endpoints, with Envoy's fields and meaning. */
export interface HealthCheck {
  readonly probe: HealthProbe;
  /** Pause between the end of a check and the start of the next, once the cluster has had a request. */
  readonly intervalMs: number;
  /** The same pause while the cluster has had no request at all. Envoy's default: 60 s. */
  readonly noTrafficIntervalMs: number;
  /** Maximum time of one check, its connection included. */
  readonly timeoutMs: number;
  /**
   * Consecutive checks without an answer after which an endpoint is unhealthy. An answer that says so makes
   * it unhealthy at once.
   */
  readonly unhealthyThreshold: number;
  /** Consecutive successes after which an unhealthy endpoint is healthy; its very first check decides at once. */
  readonly healthyThreshold: number;
  /** Upper bound of the random delay before an endpoint's first check; 0 for none. */
  readonly initialJitterMs: number;
}

/** The request of one check, and the answers that are a success. */
export type HealthProbe =
  | {
      readonly kind: "http";
      readonly method: string;
      readonly path: string;
      /** The Host header. */
      readonly host: string;
      /** Further headers of the request. */
      readonly headers: Readonly<Record<string, string>>;
      readonly expectedStatuses: readonly StatusRange[];
    }
  /** Success is an open connection. */
  | { readonly kind: "tcp" }
  /** grpc.health.v1 over HTTP/2. Success is SERVING. */
  | {
      readonly kind: "grpc";
      /** The `:authority` pseudo-header. */
      readonly host: string;
      /** The service asked about; empty for the whole server. */
      readonly service: string;
    };

/** HTTP statuses from `start` to below `end`. */
export interface StatusRange {
  readonly start: number;
  readonly end: number;
}
