// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Authenticators } from "../authentication/authenticators.ts";
import { RouteTableCache } from "./route-table-cache.ts";
import { tcpTablesOf } from "./tcp-tables.ts";
import { ProxySnapshot } from "./snapshot.ts";
import type { Transport } from "../transport/contract/transport.ts";
import type { CredentialStore } from "../transport/tls/credentials/credential-store.ts";
import { ClusterManager, type ClusterRuntime } from "../upstream/cluster-manager.ts";

const NO_AUTHENTICATORS: ReadonlyMap<string, Authenticator> = new Map();

/**
 * Builds a snapshot of each new state of the resources. Unchanged parts are shared with the previous
 * snapshot.
 */
export class SnapshotBuilder {
  readonly #routeTables = new RouteTableCache();
  readonly #clusters: ClusterManager;
  readonly #authenticators: Authenticators | undefined;

  /** @param authenticators Default: requests at listeners with rules for tokens fail. */
  constructor(
    transport: Transport,
    credentials: CredentialStore,
    runtime: ClusterRuntime,
    authenticators?: Authenticators,
  ) {
    this.#authenticators = authenticators;
    this.#clusters = new ClusterManager(transport, credentials, runtime);
  }

  /**
   * @throws {PurserError} PURSER_INTERNAL for a route's regular expression or subnet that does not compile; nothing has
   * changed then.
   */
  build(resources: TrafficResources): ProxySnapshot {
    for (const { tcp } of resources.listeners.resources) if (tcp !== undefined) tcpTablesOf(tcp);
    const routeTables = this.#routeTables.compile(resources.routes);
    const clusters = this.#clusters.build(resources.clusters.resources, resources.endpoints.resources);
    const authenticators = this.#authenticators?.build(resources.listeners.resources) ?? NO_AUTHENTICATORS;
    return new ProxySnapshot({ resources, routeTables, ...clusters, authenticators }, () =>
      this.#clusters.release(clusters),
    );
  }

  /** Cuts every connection to an endpoint. */
  destroy(): Promise<void> {
    return this.#clusters.destroy();
  }
}
