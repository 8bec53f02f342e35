// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger, Random, Scheduler } from "../../kernel/ports.ts";
import {
  type ControlSurface,
  type SurfaceAddress,
  startControlSurface,
} from "../../server/http/control-surface.ts";
import { LongPolls } from "../../server/http/long-polls.ts";
import type { Pilot } from "../pilot.ts";
import { createPilotMetrics } from "./http-metrics.ts";
import { addOperationRoutes } from "./json/routes-operations.ts";
import { addDiscoveryRoute } from "./json/routes-discovery.ts";

export interface PilotHttpSettings extends SurfaceAddress {
  readonly pilot: Pilot;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Maximum number of held polls; further ones get 503. Default 1000. */
  readonly maxPolls?: number;
}

/**
 * Serves pilot over HTTP: JSON for proxies, operators and orchestrators.
 *
 * @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN.
 */
export function startPilotHttpServer(settings: PilotHttpSettings): Promise<ControlSurface> {
  const { pilot, maxPolls = 1_000 } = settings;
  const polls = new LongPolls(settings.scheduler, maxPolls);
  const metrics = createPilotMetrics(pilot, polls);
  return startControlSurface({
    ...settings,
    name: "pilot",
    polls,
    configVersions: () => (pilot.current === undefined ? {} : { documents: pilot.current.version }),
    onAnswer: (status) => metrics.answered(status),
    addRoutes(router, isDraining) {
      addDiscoveryRoute(router, { pilot, polls, isDraining });
      addOperationRoutes(router, { pilot, metrics: metrics.registry, isDraining });
    },
  });
}
