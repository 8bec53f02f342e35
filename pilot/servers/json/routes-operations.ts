// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Registry } from "prom-client";
import {
  GET_PILOT_METRICS,
  GET_PILOT_READY,
  GET_REGISTRY,
} from "../../../api/json/operations/pilot-operations.ts";
import type { RegistryListing } from "../../../api/json/registry.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { addHealthRoutes, addMetricsRoute } from "../../../server/http/operation-routes.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import type { Pilot } from "../../pilot.ts";
import { createRegistry } from "../../registry/registry.ts";

export interface OperationRoutes {
  readonly pilot: Pilot;
  readonly metrics: Registry;
  readonly isDraining: () => boolean;
}

/** Health, metrics and services, for operators and orchestrators. */
export function addOperationRoutes(
  router: SurfaceRouter,
  { pilot, metrics, isDraining }: OperationRoutes,
): void {
  addHealthRoutes(router, GET_PILOT_READY, isDraining, () =>
    pilot.current === undefined
      ? new PurserError("PURSER_PILOT_UNAVAILABLE", "pilot has no configuration yet")
      : { version: pilot.current.version, rejection: pilot.rejection },
  );
  addMetricsRoute(router, GET_PILOT_METRICS, () => metrics.metrics());
  router.serve(GET_REGISTRY, (context) => {
    const { version = "", traffic } = pilot.current ?? {};
    const services = traffic === undefined ? [] : createRegistry(traffic).services;
    context.body = {
      version,
      services: services.map(({ identity, internal, ports }) => ({
        ...identity,
        location: internal ? "MESH_INTERNAL" : "MESH_EXTERNAL",
        ports,
      })),
    } satisfies RegistryListing;
  });
}
