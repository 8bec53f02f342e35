// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  DRAIN,
  GET_CLUSTERS,
  GET_CONFIG_DUMP,
  GET_PROXY_READY,
  GET_STATS,
} from "../../api/json/operations/admin-operations.ts";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { Runtime } from "../../kernel/ports.ts";
import {
  type ControlSurface,
  type SurfaceAddress,
  startControlSurface,
} from "../../server/http/control-surface.ts";
import type { ConfigVersions } from "../../server/http/process-routes.ts";
import { addMetricsRoute } from "../../server/http/operation-routes.ts";
import type { SurfaceRouter } from "../../server/http/surface-router.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { type ClusterRow, clustersText } from "./cluster-rows.ts";

/** The proxy that the admin surface shows and controls: one in this process, or a pool of workers. */
export interface AdminSubject {
  /** The metrics in Prometheus' text format. */
  metrics(): Promise<string>;
  /** Undefined when ready, otherwise the reason why not. */
  unreadiness(): MaybePromise<string | undefined>;
  /** Undefined before the first configuration. */
  resources(): MaybePromise<TrafficResources | undefined>;
  clusters(): MaybePromise<readonly ClusterRow[]>;
  /** Begins to drain and returns at once. */
  drain(): void;
}

/**
 * Starts the proxy's admin surface, with Envoy's paths, in plain text for use with curl. Without
 * `access` it has no authentication: bind it to loopback.
 *
 * @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN.
 */
export function startAdminServer(
  subject: AdminSubject,
  address: SurfaceAddress,
  { random, scheduler, logger }: Runtime,
): Promise<ControlSurface> {
  return startControlSurface({
    ...address,
    name: "proxy",
    random,
    scheduler,
    logger,
    errorFormat: "text",
    addRoutes: (router) => addAdminRoutes(router, subject),
    configVersions: async () => versionsOf(await subject.resources()),
  });
}

function versionsOf(resources: TrafficResources | undefined): ReturnType<ConfigVersions> {
  if (resources === undefined) return {};
  const { clusters, endpoints, listeners, routes } = resources;
  return {
    resources: {
      clusters: clusters.version,
      endpoints: endpoints.version,
      listeners: listeners.version,
      routes: routes.version,
    },
  };
}

function addAdminRoutes(router: SurfaceRouter, subject: AdminSubject): void {
  router.serve(GET_PROXY_READY, async (context) => {
    const missing = await subject.unreadiness();
    context.status = missing === undefined ? 200 : 503;
    context.type = "text";
    context.body = `${missing ?? "LIVE"}\n`;
  });
  addMetricsRoute(router, GET_STATS, () => subject.metrics());
  router.serve(GET_CLUSTERS, async (context) => {
    context.type = "text";
    context.body = clustersText(await subject.clusters());
  });
  router.serve(GET_CONFIG_DUMP, async (context) => {
    context.type = "json";
    context.body = `${JSON.stringify((await subject.resources()) ?? null, undefined, 2)}\n`;
  });
  // POST alone: a link or another site's page must not be able to drain a proxy.
  router.serve(DRAIN, (context) => {
    subject.drain();
    context.status = 202;
    context.type = "text";
    context.body = "draining\n";
  });
}
