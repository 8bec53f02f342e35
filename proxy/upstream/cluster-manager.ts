// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger, Random } from "../../kernel/ports.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Cluster as ClusterConfig } from "../../core/traffic/resources/cluster.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { Cluster, ClusterEndpoint, type ClusterLoad } from "./cluster.ts";
import type { Transport } from "../transport/contract/transport.ts";
import { Upstream } from "./upstream.ts";

/** Envoy's limit for a header block. */
const MAX_RESPONSE_HEADER_BYTES = 60 * 1024;

interface Shared {
  readonly upstream: Upstream;
  /** How many live cluster sets name it. */
  uses: number;
}

export type ClusterSet = ReadonlyMap<string, Cluster>;

/**
 * Makes cluster sets out of configurations. What did not change lives on: an unchanged cluster keeps its picker, an
 * unchanged endpoint its connections, and a cluster's count of requests under way spans all its versions. An endpoint that no
 * live set names any more is drained.
 */
export class ClusterManager {
  readonly #transport: Transport;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #shared = new Map<string, Shared>();
  readonly #loads = new Map<string, ClusterLoad>();
  #newest: ClusterSet = new Map();

  constructor(transport: Transport, random: Random, logger: Logger) {
    this.#transport = transport;
    this.#random = random;
    this.#logger = logger;
  }

  /** Each set must be given back with `release`. */
  build(configs: readonly ClusterConfig[]): ClusterSet {
    const set = new Map(configs.map((config) => [config.name, this.#clusterFor(config)] as const));
    for (const cluster of set.values()) {
      for (const endpoint of cluster.config.endpoints) this.#sharedFor(cluster.config, endpoint).uses++;
    }
    this.#newest = set;
    return set;
  }

  /** Says that no request uses the set any more. */
  release(set: ClusterSet): void {
    for (const { config } of set.values()) {
      for (const endpoint of config.endpoints) {
        const key = keyOf(config, endpoint);
        const shared = this.#shared.get(key);
        if (shared === undefined || --shared.uses > 0) continue;
        this.#shared.delete(key);
        this.#dispose(shared.upstream.close());
      }
      const load = this.#loads.get(config.name);
      if (load?.active === 0 && !this.#newest.has(config.name)) this.#loads.delete(config.name);
    }
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    const upstreams = [...this.#shared.values()].map(({ upstream }) => upstream.destroy());
    this.#shared.clear();
    await Promise.allSettled(upstreams);
  }

  #clusterFor(config: ClusterConfig): Cluster {
    const earlier = this.#newest.get(config.name);
    if (earlier !== undefined && JSON.stringify(earlier.config) === JSON.stringify(config)) return earlier;
    let load = this.#loads.get(config.name);
    if (load === undefined) {
      load = { active: 0, overflowsTotal: 0 };
      this.#loads.set(config.name, load);
    }
    const endpoints = config.endpoints.map(
      (endpoint) => new ClusterEndpoint(endpoint, this.#sharedFor(config, endpoint).upstream),
    );
    return new Cluster(config, endpoints, load, this.#random);
  }

  #sharedFor(config: ClusterConfig, endpoint: Endpoint): Shared {
    const key = keyOf(config, endpoint);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const client = this.#transport.createClient({
        host: endpoint.address,
        port: endpoint.port,
        connectTimeoutMs: config.connectTimeoutMs,
        maxConnections: config.maxConnectionsPerEndpoint,
        maxHeaderBytes: MAX_RESPONSE_HEADER_BYTES,
      });
      shared = { upstream: new Upstream(endpoint, client), uses: 0 };
      this.#shared.set(key, shared);
    }
    return shared;
  }

  #dispose(closing: Promise<void>): void {
    closing.catch((error: unknown) => {
      this.#logger.warn("closing an endpoint's connections failed", { error: messageOf(error) });
    });
  }
}

function keyOf(config: ClusterConfig, { address, port }: Endpoint): string {
  return `${config.name} ${address} ${port} ${config.connectTimeoutMs} ${config.maxConnectionsPerEndpoint}`;
}
