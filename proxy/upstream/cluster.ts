// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";

/** How much a cluster has to do, over all versions of its settings. */
export interface ClusterLoad {
  active: number;
  overflowsTotal: number;
}

/** A cluster's settings with its request breaker. It lives as long as the settings stay the same, whatever its endpoints do. */
export class Cluster {
  readonly config: ClusterConfig;
  readonly load: ClusterLoad;

  constructor(config: ClusterConfig, load: ClusterLoad) {
    this.config = config;
    this.load = load;
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
}
