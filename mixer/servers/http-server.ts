// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Runtime } from "../../kernel/ports.ts";
import { concurrencyLimit } from "../../server/concurrency-limit.ts";
import {
  type ControlSurface,
  type SurfaceAddress,
  startControlSurface,
} from "../../server/http/control-surface.ts";
import { BodyReader } from "../../server/http/json/body-reader.ts";
import { LongPolls } from "../../server/http/long-polls.ts";
import type { Mixer } from "../mixer.ts";
import { addAuthRoutes, isAuthPath } from "./auth/routes-auth.ts";
import { callsOf } from "./json/routes-calls.ts";
import { addOperationRoutes } from "./json/routes-operations.ts";
import { addPolicyStateRoute } from "./json/routes-policy-state.ts";
import { addQuotaRoutes } from "./json/routes-quotas.ts";

export interface MixerHttpSettings extends Runtime, SurfaceAddress {
  readonly mixer: Mixer;
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /**
   * Maximum number of checks, quota calls, reports and auth requests under way; further ones get 503. Default
   * 1024, as in Mixer.
   */
  readonly maxConcurrentRequests?: number;
  /** Maximum number of held polls; further ones get 503. Default 1000. */
  readonly maxPolls?: number;
  /** Timeout of a request's head, and of the whole request, in milliseconds; then 408. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

/**
 * Serves the mixer over HTTP: JSON for proxies, operators and orchestrators, and `/auth` for external
 * proxies.
 *
 * @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN.
 */
export function startMixerHttpServer(settings: MixerHttpSettings): Promise<ControlSurface> {
  const { mixer, bodyLimitBytes = 1_048_576, maxConcurrentRequests = 1_024, maxPolls = 1_000 } = settings;
  const polls = new LongPolls(settings.scheduler, maxPolls);
  const bodies = new BodyReader(bodyLimitBytes);
  const limit = concurrencyLimit(maxConcurrentRequests);
  return startControlSurface({
    ...settings,
    name: "mixer",
    polls,
    calls: { calls: callsOf(mixer), bodies, limit },
    isForwarded: isAuthPath,
    configVersions: () => (mixer.version === undefined ? {} : { documents: mixer.version }),
    addRoutes(router, isDraining) {
      // Polls are idle most of the time, so they have a limit of their own.
      addPolicyStateRoute(router, mixer, polls);
      addAuthRoutes(router, mixer, limit, settings);
      addOperationRoutes(router, mixer, isDraining);
      addQuotaRoutes(router, mixer, bodies);
    },
  });
}
