// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyConfig } from "../core/traffic/resources/resource-set.ts";
import { type CompiledRouteTable, compileRouteTable } from "../core/traffic/route-table.ts";
import type { ClusterSet } from "./upstream/cluster-manager.ts";

/**
 * One configuration in use: swapped whole, never changed. It counts the requests that began with it, so that what only it
 * needs is given up when the last of them is over.
 */
export class ProxySnapshot {
  readonly config: ProxyConfig;
  readonly routeTables: ReadonlyMap<string, CompiledRouteTable>;
  readonly clusters: ClusterSet;
  readonly #onUnused: () => void;
  #holders = 0;
  #retired = false;

  constructor(
    config: ProxyConfig,
    routeTables: ReadonlyMap<string, CompiledRouteTable>,
    clusters: ClusterSet,
    onUnused: () => void,
  ) {
    this.config = config;
    this.routeTables = routeTables;
    this.clusters = clusters;
    this.#onUnused = onUnused;
  }

  /** A request begins; `release` must follow. */
  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    this.#disposeWhenUnused();
  }

  /** A newer one has taken its place. */
  retire(): void {
    this.#retired = true;
    this.#disposeWhenUnused();
  }

  #disposeWhenUnused(): void {
    if (this.#retired && this.#holders === 0) this.#onUnused();
  }
}

/** Throws when an expression of a route cannot be compiled. */
export function compileRouteTables(config: ProxyConfig): ReadonlyMap<string, CompiledRouteTable> {
  return new Map(config.routeTables.map((table) => [table.name, compileRouteTable(table)]));
}
