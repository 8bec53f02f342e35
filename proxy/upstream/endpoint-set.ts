// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createPicker, pickAvoiding } from "../../core/traffic/balancing/load-balancer.ts";
import type { Candidate, Picker } from "../../core/traffic/balancing/picker.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { Random } from "../../kernel/ports.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import type { Cluster } from "./cluster.ts";
import type { Upstream } from "./upstream.ts";

/** An endpoint as one set of endpoints sees it; the connections behind it outlive the set. */
export class ClusterEndpoint implements Candidate {
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;

  constructor(endpoint: Endpoint, upstream: Upstream) {
    this.endpoint = endpoint;
    this.upstream = upstream;
  }

  get weight(): number {
    return this.endpoint.weight;
  }

  get activeRequests(): number {
    return this.upstream.active;
  }
}

/**
 * A cluster's endpoints, and who picks among them. Never changed: when the endpoints or the cluster's settings change, a new set
 * takes its place, and the snapshots that have the old set hold it until their requests are over.
 */
export class EndpointSet extends RefCounted {
  readonly cluster: Cluster;
  readonly assignment: ClusterLoadAssignment;
  readonly endpoints: readonly ClusterEndpoint[];
  readonly #picker: Picker<ClusterEndpoint>;

  /** @param endpoints Those of `assignment`, with their connections. */
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

  /** Undefined when there is no endpoint. */
  pick(tried: readonly ClusterEndpoint[]): ClusterEndpoint | undefined {
    return tried.length === 0 ? this.#picker.pick() : pickAvoiding(this.#picker, tried);
  }
}
