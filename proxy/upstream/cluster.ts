// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";

/** Load of a cluster, across all versions of its settings. */
export interface ClusterLoad {
  /** Number of requests under way. */
  active: number;
  /** Requests refused because too many were under way, or waited for a connection. */
  overflowsTotal: number;
}

/**
 * A cluster's settings with its request circuit breaker. It lives as long as the settings are unchanged,
 * whatever its endpoints.
 */
export class Cluster {
  readonly config: ClusterConfig;
  readonly load: ClusterLoad;
  /** The attributes `destination.service.*` of requests to the cluster. */
  readonly service: { readonly name: string; readonly namespace: string; readonly host: string };

  constructor(config: ClusterConfig, load: ClusterLoad) {
    this.config = config;
    this.load = load;
    const { name, namespace, host } = config.service;
    this.service = { name, namespace, host };
  }

  /** Returns false when `maxRequests` are under way already; after true, `leave()` must follow. */
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
}
