// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import { briefly, type Diagnostic } from "../../kernel/diagnostic.ts";
import { isPurserError, PurserError } from "../../kernel/errors.ts";

/** The content type of Prometheus' text format. */
const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface Readiness {
  /** The version in force, for surfaces that show it here. */
  readonly version?: string;
  /** The faults of a newer set of documents that was refused; the process is ready all the same, with the last good set. */
  readonly rejection: readonly Diagnostic[] | undefined;
}

/**
 * `/healthz` is 200 while the process answers; `/readyz` is 200 when it should be sent work, otherwise 503 with the reason.
 *
 * @param readiness What makes the process ready, or the error that says what is missing.
 */
export function addHealthRoutes(
  router: Router,
  isDraining: () => boolean,
  readiness: () => Readiness | PurserError,
): void {
  router.get("/healthz", (context) => {
    context.body = { status: "ok" };
  });
  router.get("/readyz", (context) => {
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "the process is shutting down");
    const ready = readiness();
    if (isPurserError(ready)) throw ready;
    const { rejection, ...fields } = ready;
    context.body = {
      status: "ready",
      ...fields,
      ...(rejection === undefined ? {} : { rejection: briefly(rejection) }),
    };
  });
}

/** Serves metrics in Prometheus' text format. */
export function addMetricsRoute(router: Router, path: string, exposition: () => Promise<string>): void {
  router.get(path, async (context) => {
    context.set("Content-Type", EXPOSITION_TYPE);
    context.body = await exposition();
  });
}
