// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { TrafficResources } from "../../core/traffic/resources/resource-set.ts";
import type { Runtime } from "../../kernel/ports.ts";
import {
  type ControlSurface,
  type SurfaceAddress,
  startControlSurface,
} from "../../server/http/control-surface.ts";
import { addMetricsRoute } from "../../server/http/operation-routes.ts";
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
 * Starts the proxy's admin surface, with Envoy's paths, in plain text for use with curl. It has no
 * authentication: bind it to loopback.
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
  });
}

function addAdminRoutes(router: Router, subject: AdminSubject): void {
  router.get("/ready", async (context) => {
    const missing = await subject.unreadiness();
    context.status = missing === undefined ? 200 : 503;
    context.type = "text";
    context.body = `${missing ?? "LIVE"}\n`;
  });
  addMetricsRoute(router, "/stats/prometheus", () => subject.metrics());
  router.get("/clusters", async (context) => {
    context.type = "text";
    context.body = clustersText(await subject.clusters());
  });
  router.get("/config_dump", async (context) => {
    context.type = "json";
    context.body = `${JSON.stringify((await subject.resources()) ?? null, undefined, 2)}\n`;
  });
  // POST alone: a link or another site's page must not be able to drain a proxy.
  router.post("/drain", (context) => {
    subject.drain();
    context.status = 202;
    context.type = "text";
    context.body = "draining\n";
  });
}
