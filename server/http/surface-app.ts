// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger, Random } from "../../kernel/ports.ts";
import { answerErrors, type ErrorFormat, type Refuse, refuseAs } from "./answer-errors.ts";
import type { JsonCalls } from "./json/json-calls.ts";
import { requestId } from "./request-id.ts";
import { addProcessRoutes, type ConfigVersions, type SurfaceProcess } from "./process-routes.ts";
import { type AccessCheck, openPaths, type SurfaceAccess } from "./surface-access.ts";
import { createSurfaceGuard, requireJsonType, type SurfaceNames } from "./surface-guard.ts";
import { addDescriptionRoute } from "./description-route.ts";
import { SurfaceRouter } from "./surface-router.ts";

/** Maximum length of a URL, in characters; then 414. */
const MAX_URL_LENGTH = 8_192;

export interface SurfaceAppOptions {
  /** Name of the process, by which error messages refer to its log. */
  readonly name: "mixer" | "pilot" | "proxy" | "identity";
  readonly names: SurfaceNames;
  readonly random: Random;
  readonly logger: Logger;
  readonly isDraining: () => boolean;
  /** The calls that are served in front of this application; it has their paths for other spellings of them. */
  readonly calls: JsonCalls | undefined;
  /** Adds the surface's own paths. */
  readonly addRoutes: (router: SurfaceRouter, isDraining: () => boolean) => void;
  /** Default `json`. */
  readonly errorFormat?: ErrorFormat;
  /**
   * Whether requests to a path carry the URL and header fields of another request, as an external proxy's do:
   * the surface guard and the URL limit do not apply to them. Default: no path.
   */
  readonly isForwarded?: (path: string) => boolean;
  /** Who may use the surface; default everybody. */
  readonly access?: SurfaceAccess | undefined;
  /** The check that `access` makes. */
  readonly accessCheck?: AccessCheck | undefined;
  /** The process, for /v1/version and /v1/log-level; absent: these paths do not exist. */
  readonly process?: SurfaceProcess | undefined;
  /** The versions in force, for /v1/version; default none. */
  readonly configVersions?: ConfigVersions;
  /** Called with the status of every response. */
  readonly onAnswer?: (status: number) => void;
}

/** The Koa application of a control surface: its middleware, in the order in which a request passes it. */
export function createSurfaceApp(options: SurfaceAppOptions): Koa {
  const { name, random, logger, isDraining, onAnswer, isForwarded = () => false } = options;
  const refuse = refuseAs(options.errorFormat ?? "json");
  const router = new SurfaceRouter();
  options.addRoutes(router, isDraining);
  options.calls?.addRoutes(router);
  if (options.process !== undefined)
    addProcessRoutes(router, { logger, process: options.process, configVersions: options.configVersions });
  if (name !== "identity") addDescriptionRoute(router, name, options.errorFormat ?? "json");
  const app = new Koa();
  app.on("error", (error: unknown) =>
    logger.warn("an answer could not be sent", { error: messageOf(error) }),
  );
  // Outermost, to see the status of every response, including refusals.
  app.use(async (context, next) => {
    await next();
    if (isDraining()) context.set("Connection", "close");
    onAnswer?.(context.status);
  });
  // Before every step that can fail, so that refusals and log lines have the id.
  app.use(requestId(random));
  app.use(answerErrors(name, logger, refuse));
  // Before the path is looked up, so that a foreign page learns nothing about the surface.
  app.use(exceptForwarded(isForwarded, refuseBrowsers(options.names)));
  app.use(exceptForwarded(isForwarded, refuseLongUrls(refuse)));
  if (options.accessCheck !== undefined)
    app.use(
      refuseStrangers(options.accessCheck, isForwarded, openPaths(router.operations, options.access ?? {})),
    );
  // Before the body's type is checked: 404 and 405 precede 415.
  app.use(refuseUnrouted(router));
  app.use(exceptForwarded(isForwarded, refuseForms));
  app.use(router.routes());
  return app;
}

function exceptForwarded(isForwarded: (path: string) => boolean, step: Middleware): Middleware {
  return (context, next) => (isForwarded(context.path) ? next() : step(context, next));
}

function refuseBrowsers(names: SurfaceNames): Middleware {
  const guard = createSurfaceGuard(names);
  return (context, next) => {
    const refusal = guard(context.headers);
    if (refusal !== undefined) throw refusal;
    return next();
  };
}

/** Responds 401 to a request without a credential, except at the paths that are open to everybody. */
function refuseStrangers(
  check: AccessCheck,
  isForwarded: (path: string) => boolean,
  open: ReadonlySet<string>,
): Middleware {
  return (context, next) => {
    const { path, method } = context;
    if (open.has(path) && (method === "GET" || method === "HEAD")) return next();
    const refusal = check(context.req, isForwarded(path));
    if (refusal === undefined) return next();
    // The body is not read: the connection cannot serve another request.
    if (method !== "GET" && method !== "HEAD") context.set("Connection", "close");
    throw refusal;
  };
}

function refuseLongUrls(refuse: Refuse): Middleware {
  return async (context, next) => {
    if (context.url.length <= MAX_URL_LENGTH) return next();
    const message = `the URL has more than ${MAX_URL_LENGTH} characters`;
    refuse(context, new PurserError("PURSER_REQUEST_TOO_LARGE", message), 414);
  };
}

/** Responds 404 with the known paths, or 405 with Allow when the path has other methods. */
function refuseUnrouted(router: Router): Middleware {
  return (context, next) => {
    const { path, route } = router.match(context.path, context.method);
    if (route) return next();
    if (path.length === 0) {
      const paths = [...new Set(router.stack.map((layer) => layer.path))].join(" ");
      throw new PurserError("PURSER_NOT_FOUND", `there is nothing at ${context.path}; there is: ${paths}`);
    }
    const methods = [...new Set(path.flatMap((layer) => layer.methods))].join(", ");
    context.set("Allow", methods);
    throw new PurserError("PURSER_METHOD_NOT_ALLOWED", `${context.path} takes ${methods}`);
  };
}

/**
 * Responds 415 to a request that may have effects and is not declared as JSON: cross-site forms cannot be.
 */
const refuseForms: Middleware = (context, next) => {
  if (context.method === "GET" || context.method === "HEAD") return next();
  try {
    requireJsonType(context.headers);
  } catch (error) {
    // The body is not read: the connection cannot serve another request.
    context.set("Connection", "close");
    throw error;
  }
  return next();
};
