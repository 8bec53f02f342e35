// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Router from "@koa/router";
import Koa, { type Context, type Next } from "koa";
import { errorBody, httpStatusOfError } from "../../api/error-body.ts";
import { createSurfaceGuard, type SurfaceNames } from "../../api/surface-guard.ts";
import { decodeDiscoveryRequest, DISCOVERY_PATH } from "../../api/json/discovery.ts";
import { briefly } from "../../kernel/diagnostic.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import type { LongPolls } from "../../kernel/long-polls.ts";
import type { Logger } from "../../kernel/ports.ts";
import { RESOURCE_TYPES, type TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import type { PilotMetrics } from "./http-metrics.ts";
import type { Pilot } from "../pilot.ts";
import { createStaticRegistry } from "../registry/registry-static.ts";

export interface PilotAppOptions {
  readonly pilot: Pilot;
  readonly polls: LongPolls;
  readonly metrics: PilotMetrics;
  readonly logger: Logger;
  readonly names: SurfaceNames;
  readonly maxUrlLength: number;
  readonly isDraining: () => boolean;
}

/** When to come back after a refusal that passes, in seconds. */
const RETRY_AFTER_S = "1";

/** Pilot's HTTP surface: what proxies poll, and what people and orchestrators look at. */
export function createPilotApp(options: PilotAppOptions): Koa {
  const app = new Koa();
  app.on("error", (error: unknown) =>
    options.logger.warn("an answer could not be sent", { error: messageOf(error) }),
  );
  const guard = createSurfaceGuard(options.names);
  app.use((context, next) => answerErrors(context, next, options));
  app.use((context, next) => {
    const refusal = guard(context.headers);
    if (refusal !== undefined) throw refusal;
    return next();
  });
  app.use((context, next) => {
    if (context.url.length > options.maxUrlLength) {
      const message = `The URL has more than ${options.maxUrlLength} characters`;
      refuse(context, new PurserError("PURSER_REQUEST_TOO_LARGE", message), 414);
      return undefined;
    }
    return next();
  });
  const router = createRouter(options);
  app.use(router.routes());
  app.use(router.allowedMethods());
  return app;
}

function createRouter({ pilot, polls, metrics, isDraining }: PilotAppOptions): Router {
  const router = new Router();
  const texts = new WeakMap<object, string>();
  router.get(DISCOVERY_PATH, async (context) => {
    const { node, known, waitMs } = decodeDiscoveryRequest(context.query);
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "Pilot is shutting down");
    const update = await polls.hold<TrafficUpdate>({
      watch: (listener) => pilot.watch({ node, known }, listener),
      // Pilot calls the listener with changed types alone.
      isNews: () => true,
      waitMs,
      source: context.req.socket.remoteAddress ?? "",
      onGone: (release) => context.res.once("close", release),
    });
    if (update !== undefined) {
      context.type = "application/json";
      context.body = jsonOf(update, texts);
    } else if (pilot.current === undefined) {
      throw new PurserError("PURSER_PILOT_UNAVAILABLE", "Pilot has no configuration yet");
    } else {
      context.status = 304;
    }
    if (isDraining()) context.set("Connection", "close");
  });
  router.get("/v1/registry", (context) => {
    const { version = "", traffic } = pilot.current ?? {};
    const { services } = createStaticRegistry(traffic?.serviceEntries ?? []);
    context.body = {
      version,
      services: services.map(({ identity, internal, ports }) => ({
        ...identity,
        location: internal ? "MESH_INTERNAL" : "MESH_EXTERNAL",
        ports,
      })),
    };
  });
  router.get("/healthz", (context) => {
    context.body = { status: "ok" };
  });
  router.get("/readyz", (context) => {
    if (isDraining()) throw new PurserError("PURSER_DRAINING", "Pilot is shutting down");
    if (pilot.current === undefined) {
      throw new PurserError("PURSER_PILOT_UNAVAILABLE", "Pilot has no configuration yet");
    }
    const { current, rejection } = pilot;
    const ready = { status: "ready", version: current.version };
    context.body = rejection === undefined ? ready : { ...ready, rejection: briefly(rejection) };
  });
  router.get("/metrics", async (context) => {
    context.type = metrics.registry.contentType;
    context.body = await metrics.registry.metrics();
  });
  return router;
}

/** The update as JSON. Proxies alike share their sets, and so the text of each set, which `texts` keeps. */
function jsonOf(update: TrafficUpdate, texts: WeakMap<object, string>): string {
  const fields = RESOURCE_TYPES.flatMap((type) => {
    const set = update[type];
    if (set === undefined) return [];
    const text = texts.get(set) ?? JSON.stringify(set);
    texts.set(set, text);
    return [`${JSON.stringify(type)}:${text}`];
  });
  return `{${fields.join(",")}}`;
}

async function answerErrors(
  context: Context,
  next: Next,
  { logger, metrics }: PilotAppOptions,
): Promise<void> {
  try {
    await next();
    if (context.body !== undefined) return;
    if (context.status === 404) {
      refuse(context, new PurserError("PURSER_NOT_FOUND", `There is nothing at ${context.path}`));
    } else if (context.status === 405 || context.status === 501) {
      const message = `${context.path} does not take ${context.method}`;
      refuse(context, new PurserError("PURSER_METHOD_NOT_ALLOWED", message));
    }
  } catch (error) {
    if (!isPurserError(error))
      logger.error("a request failed", { path: context.path, error: messageOf(error) });
    refuse(
      context,
      isPurserError(error)
        ? error
        : new PurserError("PURSER_INTERNAL", "The request failed; see pilot's log", { cause: error }),
    );
  } finally {
    metrics.answered(context.status);
  }
}

function refuse(context: Context, error: PurserError, status = httpStatusOfError(error.code)): void {
  context.status = status;
  context.body = errorBody(error);
  if (error.retryable) context.set("Retry-After", RETRY_AFTER_S);
}
