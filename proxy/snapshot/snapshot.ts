// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { CompiledRouteTable } from "../../core/traffic/route-table.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { EndpointSet } from "../upstream/endpoint-set.ts";

export interface SnapshotParts {
  readonly resources: TrafficResources;
  /** By name. */
  readonly routeTables: ReadonlyMap<string, CompiledRouteTable>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** By cluster name. */
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
}

/**
 * The resources in force, compiled and connected. A snapshot is immutable: a new one replaces it as a whole.
 * A request holds the snapshot that it began with until it is over; the last release closes the endpoints
 * that only this snapshot has.
 */
export class ProxySnapshot extends RefCounted implements SnapshotParts {
  readonly resources: TrafficResources;
  readonly routeTables: ReadonlyMap<string, CompiledRouteTable>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly endpoints: ReadonlyMap<string, EndpointSet>;

  constructor({ resources, routeTables, clusters, endpoints }: SnapshotParts, onUnused: () => void) {
    super(onUnused);
    this.resources = resources;
    this.routeTables = routeTables;
    this.clusters = clusters;
    this.endpoints = endpoints;
  }
}
