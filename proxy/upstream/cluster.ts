// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { retryLimit } from "../../core/traffic/retry-limit.ts";
import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";
import type { HashSource } from "../../core/traffic/resources/load-balancer.ts";
import { type HealthCounts, newHealthCounts } from "./health/health-counts.ts";
import type { Overload } from "./overload.ts";
import type { OverloadGate } from "./overload-gate.ts";
import { TlsFaults } from "./tls-faults.ts";

/** Load of a cluster, across all versions of its settings. */
export interface ClusterLoad {
  /** Number of requests under way. */
  active: number;
  /** Requests refused because too many were under way, or waited for a connection. */
  overflowsTotal: number;
  /** The gate of its Overload document, if it has or had one. */
  gate: OverloadGate | undefined;
  /** Number of retries under way. */
  retries: number;
  /** Retries that were not made because too many were under way. */
  retryOverflowsTotal: number;
  readonly health: HealthCounts;
  readonly tlsFaults: TlsFaults;
}

export function newClusterLoad(): ClusterLoad {
  return {
    active: 0,
    overflowsTotal: 0,
    gate: undefined,
    retries: 0,
    retryOverflowsTotal: 0,
    health: newHealthCounts(),
    tlsFaults: new TlsFaults(),
  };
}

/**
 * A cluster's settings with its circuit breakers for requests and retries. It lives as long as the settings are unchanged,
 * whatever its endpoints.
 */
export class Cluster {
  readonly config: ClusterConfig;
  readonly load: ClusterLoad;
  /** Undefined where no Overload document applies. */
  readonly overload: Overload | undefined;
  /** The attributes `destination.service.*` of requests to the cluster. */
  readonly service: { readonly name: string; readonly namespace: string; readonly host: string };
  /** The value of a request that decides its endpoint; undefined without consistent hashing. */
  readonly hashOn: HashSource | undefined;

  constructor(config: ClusterConfig, load: ClusterLoad, overload: Overload | undefined) {
    this.config = config;
    this.load = load;
    this.overload = overload;
    const { name, namespace, host } = config.service;
    this.service = { name, namespace, host };
    this.hashOn = "hashOn" in config.loadBalancer ? config.loadBalancer.hashOn : undefined;
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

  /** Returns false when too many retries are under way already; after true, `leaveRetry()` must follow. */
  enterRetry(): boolean {
    const { load } = this;
    if (load.retries >= retryLimit(this.config, load.active)) {
      load.retryOverflowsTotal++;
      return false;
    }
    load.retries++;
    return true;
  }

  leaveRetry(): void {
    this.load.retries--;
  }
}
