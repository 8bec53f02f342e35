// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PilotService } from "../../api/pilot-service.ts";
import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { ResourceSet } from "../../core/traffic/resources/resource-set.ts";

/**
 * Pilot as one of several workers sees it. The limits of clusters, and on a listener's connections and handshakes, are for the whole
 * proxy, so each worker applies its share, rounded up: connections are spread over the workers in turn, and a worker
 * needs at least one.
 */
export function sharingLimits(pilot: PilotService, workers: number): PilotService {
  return {
    watch: (subscription, listener) =>
      pilot.watch(subscription, (update) => {
        const { clusters, listeners } = update;
        listener({
          ...update,
          ...(clusters === undefined ? {} : { clusters: sharesOf(clusters, clusterShare, workers) }),
          ...(listeners === undefined ? {} : { listeners: sharesOf(listeners, listenerShare, workers) }),
        });
      }),
  };
}

function sharesOf<R extends { readonly name: string }>(
  { version, resources }: ResourceSet<R>,
  shareOf: (resource: R, workers: number) => R,
  workers: number,
): ResourceSet<R> {
  return { version, resources: resources.map((resource) => shareOf(resource, workers)) };
}

function clusterShare(cluster: Cluster, workers: number): Cluster {
  const { retryBudget } = cluster;
  return {
    ...cluster,
    maxRequests: share(cluster.maxRequests, workers),
    // No retries at all stay none.
    maxRetries: Math.ceil(cluster.maxRetries / workers),
    ...(retryBudget === undefined
      ? {}
      : {
          retryBudget: {
            ...retryBudget,
            minRetryConcurrency: Math.ceil(retryBudget.minRetryConcurrency / workers),
          },
        }),
    maxConnectionsPerEndpoint: share(cluster.maxConnectionsPerEndpoint, workers),
  };
}

function listenerShare(listener: Listener, workers: number): Listener {
  const { limits } = listener;
  const maxConnections = share(limits.maxConnections, workers);
  const maxHandshakes = share(limits.maxHandshakes, workers);
  return { ...listener, limits: { ...limits, maxConnections, maxHandshakes } };
}

function share(limit: number, workers: number): number {
  return Math.max(1, Math.ceil(limit / workers));
}
