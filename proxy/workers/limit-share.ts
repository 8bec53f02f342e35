// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PilotService } from "../../api/pilot-service.ts";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";

/**
 * Pilot as one of several workers sees it. A cluster's limits are for the whole proxy, so each worker applies
 * its share, rounded up: connections are spread over the workers in turn, and a worker needs at least one.
 */
export function sharingLimits(pilot: PilotService, workers: number): PilotService {
  return {
    watch: (subscription, listener) =>
      pilot.watch(subscription, (update) => {
        const { clusters } = update;
        if (clusters === undefined) return listener(update);
        const resources = clusters.resources.map((cluster) => shareOf(cluster, workers));
        listener({ ...update, clusters: { version: clusters.version, resources } });
      }),
  };
}

function shareOf(cluster: Cluster, workers: number): Cluster {
  const share = (limit: number): number => Math.max(1, Math.ceil(limit / workers));
  return {
    ...cluster,
    maxRequests: share(cluster.maxRequests),
    maxConnectionsPerEndpoint: share(cluster.maxConnectionsPerEndpoint),
  };
}
