// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeGroup } from "../../core/attributes/request-group.ts";
import {
  type BalancingPorts,
  createPicker,
  pickAvoiding,
} from "../../core/traffic/balancing/load-balancer.ts";
import type { Candidate, Picker } from "../../core/traffic/balancing/picker.ts";
import { commonLabels } from "../../core/traffic/labels.ts";
import type { ClusterLoadAssignment, Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import type { Cluster } from "./cluster.ts";
import type { Upstream } from "./upstream.ts";

/** An endpoint within one endpoint set; the upstream and its connections outlive the set. */
export class ClusterEndpoint implements Candidate {
  readonly endpoint: Endpoint;
  readonly upstream: Upstream;
  /** `address:port`, for reports. */
  readonly addressText: string;
  /** The address in canonical form; undefined for an application behind a sidecar that is reached by name. */
  readonly ip: string | undefined;
  /** The protocol towards the endpoint. */
  readonly protocol: "http1" | "http2";
  /** The attributes of the endpoint's workload, if the registry knows it. */
  readonly workload: { readonly name: string } | undefined;
  /** The last result of `destinationAt`, with the attributes that it was made of. */
  destination: { readonly known: AttributeGroup; readonly group: AttributeGroup } | undefined = undefined;

  constructor(endpoint: Endpoint, upstream: Upstream, protocol: "http1" | "http2" = "http1") {
    this.endpoint = endpoint;
    this.protocol = protocol;
    this.upstream = upstream;
    const { address, port, workload } = endpoint;
    this.addressText = `${address}:${port}`;
    this.ip = canonicalAddress(address);
    this.workload = workload === undefined ? undefined : { name: workload };
  }

  get key(): string {
    return this.addressText;
  }

  get weight(): number {
    return this.endpoint.weight;
  }

  get healthy(): boolean {
    return this.upstream.healthy;
  }

  get priority(): number {
    return this.endpoint.priority ?? 0;
  }

  get locality(): string {
    return this.endpoint.locality ?? "";
  }

  get readySinceMs(): number {
    return this.upstream.readySinceMs;
  }

  get activeRequests(): number {
    return this.upstream.active;
  }
}

/**
 * A cluster's endpoints with their load balancer. When the endpoints or the cluster's settings change, a new set
 * replaces it, and snapshots with the old set hold it until their requests are over. Only the endpoints' health
 * changes within a set.
 */
export class EndpointSet extends RefCounted {
  readonly cluster: Cluster;
  readonly assignment: ClusterLoadAssignment;
  readonly endpoints: readonly ClusterEndpoint[];
  /** The attributes of the destination that are known before an endpoint is picked: the same object for all requests. */
  readonly destination: AttributeGroup;
  readonly #ports: BalancingPorts;
  #picker: Picker<ClusterEndpoint>;

  /** @param endpoints The endpoints of `assignment`, with their connections. */
  constructor(
    cluster: Cluster,
    assignment: ClusterLoadAssignment,
    endpoints: readonly ClusterEndpoint[],
    ports: BalancingPorts,
    onUnused: () => void,
  ) {
    super(onUnused);
    this.cluster = cluster;
    this.assignment = assignment;
    const service = { ...cluster.config.service };
    const labels = commonLabels(assignment.endpoints.map((endpoint) => endpoint.labels));
    this.destination = { service, namespace: service.namespace, labels };
    this.endpoints = endpoints;
    this.#ports = ports;
    this.#picker = this.#createPicker();
  }

  /**
   * Picks an endpoint; undefined when there is none.
   *
   * @param hash Of the request's value; undefined for a cluster without consistent hashing, and for a request
   * without the value.
   */
  pick(tried: readonly ClusterEndpoint[], hash: number | undefined): ClusterEndpoint | undefined {
    return tried.length === 0 ? this.#picker.pick(hash) : pickAvoiding(this.#picker, tried, hash);
  }

  /** Balances anew by the present health of the endpoints' upstreams. */
  rebalance(): void {
    this.#picker = this.#createPicker();
  }

  #createPicker(): Picker<ClusterEndpoint> {
    const { loadBalancer, outlierDetection } = this.cluster.config;
    const { localityWeights } = this.assignment;
    const settings = {
      loadBalancer,
      panicThresholdPercent: outlierDetection?.minHealthPercent ?? 0,
      ...(localityWeights === undefined ? {} : { localityWeights }),
    };
    return createPicker(settings, this.endpoints, this.#ports);
  }
}
