// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Static } from "typebox";
import type { HealthSchema, ReadyState } from "../../api/json/health.ts";
import { GET_HEALTH } from "../../api/json/operations/health-operations.ts";
import type { Operation } from "../../api/json/operations/operation.ts";
import { briefly, type Diagnostic } from "../../kernel/diagnostic.ts";
import { isPurserError, PurserError } from "../../kernel/errors.ts";
import type { SurfaceRouter } from "./surface-router.ts";

/** The content type of Prometheus' text format. */
const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Readiness {
  /** The active version, for surfaces that show it here. */
  readonly version?: string;
  /** Diagnostics of newer documents that were refused; the process stays ready with the last valid ones. */
  readonly rejection: readonly Diagnostic[] | undefined;
}

/**
 * `/healthz` is 200 while the process responds; `/readyz` is 200 when it can serve requests, otherwise 503
 * with the reason.
 *
 * @param readiness The facts that the process is ready with, or the error that says why it is not.
 */
export function addHealthRoutes(
  router: SurfaceRouter,
  readyOperation: Operation,
  isDraining: () => boolean,
  readiness: () => Readiness | PurserError,
): void {
  router.serve(GET_HEALTH, (context) => {
    context.body = { status: "ok" } satisfies Static<typeof HealthSchema>;
  });
  router.serve(readyOperation, (context) => {
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "the process is shutting down");
    const ready = readiness();
    if (isPurserError(ready)) throw ready;
    const { rejection, ...fields } = ready;
    context.body = {
      status: "ready",
      ...fields,
      ...(rejection === undefined ? {} : { rejection: briefly(rejection) }),
    } satisfies ReadyState;
  });
}

/** Serves metrics in Prometheus' text format. */
export function addMetricsRoute(
  router: SurfaceRouter,
  operation: Operation,
  exposition: () => Promise<string>,
): void {
  router.serve(operation, async (context) => {
    context.set("Content-Type", EXPOSITION_TYPE);
    context.body = await exposition();
  });
}
