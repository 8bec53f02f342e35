// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { CompiledRouteTable } from "../../core/traffic/route-table.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { EndpointSet } from "../upstream/endpoint-set.ts";

export interface SnapshotParts {
  readonly resources: TrafficResources;
  /** By name. */
  readonly routeTables: ReadonlyMap<string, CompiledRouteTable>;
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** By cluster name. */
  readonly endpoints: ReadonlyMap<string, EndpointSet>;
  /** By the names of the listeners with rules for tokens. */
  readonly authenticators: ReadonlyMap<string, Authenticator>;
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
  readonly authenticators: ReadonlyMap<string, Authenticator>;

  constructor(parts: SnapshotParts, onUnused: () => void) {
    super(onUnused);
    this.resources = parts.resources;
    this.routeTables = parts.routeTables;
    this.clusters = parts.clusters;
    this.endpoints = parts.endpoints;
    this.authenticators = parts.authenticators;
  }
}
