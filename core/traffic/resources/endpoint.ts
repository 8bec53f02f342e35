// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The endpoints of one cluster: Envoy's resource of the same name. Apart from the cluster, so that endpoints come and go without
 * touching the cluster's settings.
 */
export interface ClusterLoadAssignment {
  /** The cluster's name. */
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /**
   * Whether the endpoints are sidecars, which check and charge each request themselves: a request is checked once, by the last
   * proxy before its destination. It stands here and not in the cluster because it is true of exactly these endpoints; a proxy
   * must never send a request that it left unchecked to other endpoints.
   */
  readonly checkedByDestination: boolean;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Relative to the other endpoints; at least 1. */
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  /** The workload's name, when the registry knows it. */
  readonly workload?: string;
}
