// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import type { Registry } from "prom-client";
import { PurserError } from "../../../kernel/errors.ts";
import { addHealthRoutes, addMetricsRoute } from "../../../server/http/operation-routes.ts";
import type { Pilot } from "../../pilot.ts";
import { createRegistry } from "../../registry/registry.ts";

export interface OperationRoutes {
  readonly pilot: Pilot;
  readonly metrics: Registry;
  readonly isDraining: () => boolean;
}

/** Health, metrics and services, for operators and orchestrators. */
export function addOperationRoutes(router: Router, { pilot, metrics, isDraining }: OperationRoutes): void {
  addHealthRoutes(router, isDraining, () =>
    pilot.current === undefined
      ? new PurserError("PURSER_PILOT_UNAVAILABLE", "pilot has no configuration yet")
      : { version: pilot.current.version, rejection: pilot.rejection },
  );
  addMetricsRoute(router, "/metrics", () => metrics.metrics());
  router.get("/v1/registry", (context) => {
    const { version = "", traffic } = pilot.current ?? {};
    const services = traffic === undefined ? [] : createRegistry(traffic).services;
    context.body = {
      version,
      services: services.map(({ identity, internal, ports }) => ({
        ...identity,
        location: internal ? "MESH_INTERNAL" : "MESH_EXTERNAL",
        ports,
      })),
    };
  });
}
