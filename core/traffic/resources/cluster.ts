// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Endpoint } from "./endpoint.ts";

export interface Cluster {
  /** Istio's form: `outbound|PORT|SUBSET|HOST`, `inbound|PORT||`. */
  readonly name: string;
  readonly service: ServiceIdentity;
  readonly subset?: string;
  readonly loadBalancer: "round-robin" | "least-request" | "random";
  readonly connectTimeoutMs: number;
  /** Requests under way at most; beyond it 503 at once. Envoy's default: 1024. */
  readonly maxRequests: number;
  /** Connections to one endpoint at most. */
  readonly maxConnectionsPerEndpoint: number;
  readonly endpoints: readonly Endpoint[];
  /**
   * Whether the endpoints are sidecars, which check and charge each request themselves. A request is checked once: by
   * the last proxy before its destination.
   */
  readonly checkedByDestination: boolean;
}

/** What the destination is called in attributes: `destination.service.*`. */
export interface ServiceIdentity {
  readonly host: string;
  readonly name: string;
  readonly namespace: string;
}
