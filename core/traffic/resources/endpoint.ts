// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Labels } from "../labels.ts";
import type { UpstreamTls } from "./tls.ts";

/**
 * The endpoints of one cluster: Envoy's resource of the same name. It is separate from the cluster, so that
 * endpoints can change without the cluster's settings.
 */
export interface ClusterLoadAssignment {
  /** The cluster's name. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /**
   * Whether the endpoints are sidecars, which check and charge each request themselves: a request is checked
   * once, by the last proxy before its destination. It is a field here and not of the cluster because it is
   * true for exactly these endpoints; a proxy must never send an unchecked request to other endpoints.
   */
  readonly checkedByDestination: boolean;
  /**
   * Relative shares of requests by `Endpoint.locality`, each above 0; an endpoint's locality always has one.
   * Absent: localities have no shares.
   */
  readonly localityWeights?: Readonly<Record<string, number>>;
}

export interface Endpoint {
  /** An IP address, or a name. */
  readonly address: string;
  /**
   * The address is a name that the proxy looks up by itself: each of its addresses is an endpoint, or only the first
   * of the newest answer (Envoy's STRICT_DNS and LOGICAL_DNS). Absent: the address is connected to as it is.
   */
  readonly lookup?: "all" | "first";
  readonly port: number;
  /** Relative to the other endpoints; at least 1. */
  readonly weight: number;
  readonly labels: Labels;
  /** The workload's name, if the registry knows it. */
  readonly workload?: string;
  /** `region/zone/subzone`, later parts optional. */
  readonly locality?: string;
  readonly serviceAccount?: string;
  /**
   * Endpoints of a higher number get requests only as far as too few of the lower numbers are healthy.
   * Absent: 0, the first.
   */
  readonly priority?: number;
  /** TLS on connections to this endpoint, in place of the cluster's; absent: as the cluster says. */
  readonly tls?: UpstreamTls;
}
