// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createPicker, pickAvoiding } from "../../core/traffic/balancing/load-balancer.ts";
import type { Candidate, Picker } from "../../core/traffic/balancing/picker.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import type { Random } from "../../kernel/ports.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import type { Cluster } from "./cluster.ts";
import type { Upstream } from "./upstream.ts";

/** An endpoint within one endpoint set; the upstream and its connections outlive the set. */
export class ClusterEndpoint implements Candidate {
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;
  /** `address:port`, for reports. */
  readonly addressText: string;
  /** The address in canonical form; undefined for a DNS endpoint, whose address is a host name. */
  readonly ip: string | undefined;
  /** The attributes of the endpoint's workload, if the registry knows it. */
  readonly workload: { readonly name: string } | undefined;

  constructor(endpoint: Endpoint, upstream: Upstream) {
    this.endpoint = endpoint;
    this.upstream = upstream;
    const { address, port, workload } = endpoint;
    this.addressText = `${address}:${port}`;
    this.ip = canonicalAddress(address);
    this.workload = workload === undefined ? undefined : { name: workload };
  }

  get weight(): number {
    return this.endpoint.weight;
  }

  get activeRequests(): number {
    return this.upstream.active;
  }
}

/**
 * A cluster's endpoints with their load balancer. Immutable: when the endpoints or the cluster's settings
 * change, a new set replaces it, and snapshots with the old set hold it until their requests are over.
 */
export class EndpointSet extends RefCounted {
  readonly cluster: Cluster;
  readonly assignment: ClusterLoadAssignment;
  readonly endpoints: readonly ClusterEndpoint[];
  readonly #picker: Picker<ClusterEndpoint>;

  /** @param endpoints The endpoints of `assignment`, with their connections. */
  constructor(
    cluster: Cluster,
    assignment: ClusterLoadAssignment,
    endpoints: readonly ClusterEndpoint[],
    random: Random,
    onUnused: () => void,
  ) {
    super(onUnused);
    this.cluster = cluster;
    this.assignment = assignment;
    this.endpoints = endpoints;
    this.#picker = createPicker(cluster.config.loadBalancer, endpoints, random);
  }

  /** Picks an endpoint; undefined when there is none. */
  pick(tried: readonly ClusterEndpoint[]): ClusterEndpoint | undefined {
    return tried.length === 0 ? this.#picker.pick() : pickAvoiding(this.#picker, tried);
  }
}
