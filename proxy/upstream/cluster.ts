// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../kernel/ports.ts";
import { createPicker, pickAvoiding } from "../../core/traffic/balancing/load-balancer.ts";
import type { Candidate, Picker } from "../../core/traffic/balancing/picker.ts";
import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { Upstream } from "./upstream.ts";

/** An endpoint as one version of a cluster sees it; the connections behind it outlive the version. */
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

/** How much a cluster has to do, over all versions of its configuration. */
export interface ClusterLoad {
  active: number;
  overflowsTotal: number;
}

/** One version of a cluster: its endpoints, who picks among them, and its request breaker. */
export class Cluster {
  readonly config: ClusterConfig;
  readonly endpoints: readonly ClusterEndpoint[];
  readonly load: ClusterLoad;
  readonly #picker: Picker<ClusterEndpoint>;

  constructor(
    config: ClusterConfig,
    endpoints: readonly ClusterEndpoint[],
    load: ClusterLoad,
    random: Random,
  ) {
    this.config = config;
    this.endpoints = endpoints;
    this.load = load;
    this.#picker = createPicker(config.loadBalancer, endpoints, random);
  }

  /** False when `maxRequests` are under way already; otherwise `leave()` must follow. */
  enter(): boolean {
    if (this.load.active >= this.config.maxRequests) {
      this.load.overflowsTotal++;
      return false;
    }
    this.load.active++;
    return true;
  }

  leave(): void {
    this.load.active--;
  }

  /** Undefined when the cluster has no endpoint. */
  pick(tried: readonly ClusterEndpoint[]): ClusterEndpoint | undefined {
    return tried.length === 0 ? this.#picker.pick() : pickAvoiding(this.#picker, tried);
  }
}
