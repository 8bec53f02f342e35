// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { concurrencyLimit } from "../../server/concurrency-limit.ts";
import {
  type ControlSurface,
  startControlSurface,
  type SurfaceAddress,
} from "../../server/http/control-surface.ts";
import { BodyReader } from "../../server/http/json/body-reader.ts";
import { LongPolls } from "../../server/http/long-polls.ts";
import { readyOperation } from "../../api/json/operations/health-operations.ts";
import { metricsOperation } from "../../api/json/operations/metrics-operation.ts";
import { addHealthRoutes, addMetricsRoute } from "../../server/http/operation-routes.ts";
import type { Identity } from "../identity.ts";
import { createIdentityMetrics } from "./http-metrics.ts";
import { addOperatorRoutes } from "./json/routes-operators.ts";
import { addWorkloadRoutes } from "./json/routes-workloads.ts";
import { OwnTls } from "./own-tls.ts";

export interface IdentityHttpSettings {
  readonly identity: Identity;
  /** Address for proxies, with TLS. */
  readonly workloads: SurfaceAddress;
  /** Address for operators and orchestrators: plain HTTP. */
  readonly operators: SurfaceAddress;
  /** The operator's key. */
  readonly operatorKey: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Maximum number of held polls, one for each proxy; further ones get 503. Default 10,000. */
  readonly maxPolls?: number;
}

export interface IdentityHttpServers {
  readonly workloads: ControlSurface;
  readonly operators: ControlSurface;
  /** Drains both, and resolves when every connection is closed; busy ones are cut after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Largest body: a certificate request has at most 8 KB. */
const BODY_LIMIT_BYTES = 32 * 1_024;
const READY = readyOperation("PURSER_IDENTITY_UNAVAILABLE");
const METRICS = metricsOperation("/metrics", "The identity service's metrics.");

/** Requests for certificates under way at one time. */
const MAX_REQUESTS = 256;

/**
 * Serves the identity service: over TLS to proxies, and to operators with a key.
 *
 * @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN, PURSER_IDENTITY_SIGNER.
 */
export async function startIdentityHttpServers(settings: IdentityHttpSettings): Promise<IdentityHttpServers> {
  const { identity, operatorKey: key, maxPolls = 10_000 } = settings;
  const polls = new LongPolls(settings.scheduler, maxPolls);
  const bodies = new BodyReader(BODY_LIMIT_BYTES);
  const limit = concurrencyLimit(MAX_REQUESTS);
  const metrics = createIdentityMetrics(identity, polls);
  const tls = await OwnTls.create(settings);
  const { random, scheduler, logger } = settings;
  const shared = { name: "identity", random, scheduler, logger } as const;
  const workloads = await startControlSurface({
    ...shared,
    ...settings.workloads,
    tls,
    polls,
    addRoutes: (router, isDraining) =>
      addWorkloadRoutes(router, { identity, polls, bodies, limit, isDraining }),
  }).catch((error: unknown) => {
    tls.close();
    throw error;
  });
  const operators = await startControlSurface({
    ...shared,
    ...settings.operators,
    addRoutes(router, isDraining) {
      const readiness = () => ({ version: identity.trust.version, rejection: undefined });
      addHealthRoutes(router, READY, isDraining, readiness);
      addMetricsRoute(router, METRICS, () => metrics.metrics());
      addOperatorRoutes(router, { identity, key, bodies });
    },
  }).catch(async (error: unknown) => {
    tls.close();
    await workloads.close(0);
    throw error;
  });
  return {
    workloads,
    operators,
    async close(graceMs) {
      tls.close();
      await Promise.all([workloads.close(graceMs), operators.close(graceMs)]);
    },
  };
}
