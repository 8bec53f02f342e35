// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger, Random } from "../../kernel/ports.ts";
import { answerErrors, type ErrorFormat, type Refuse, refuseAs } from "./answer-errors.ts";
import type { JsonCalls } from "./json/json-calls.ts";
import { requestId } from "./request-id.ts";
import { createSurfaceGuard, requireJsonType, type SurfaceNames } from "./surface-guard.ts";

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
  readonly addRoutes: (router: Router, isDraining: () => boolean) => void;
  /** Default `json`. */
  readonly errorFormat?: ErrorFormat;
  /**
   * Whether requests to a path carry the URL and header fields of another request, as an external proxy's do:
   * the surface guard and the URL limit do not apply to them. Default: no path.
   */
  readonly isForwarded?: (path: string) => boolean;
  /** Called with the status of every response. */
  readonly onAnswer?: (status: number) => void;
}

/** The Koa application of a control surface: its middleware, in the order in which a request passes it. */
export function createSurfaceApp(options: SurfaceAppOptions): Koa {
  const { name, random, logger, isDraining, onAnswer, isForwarded = () => false } = options;
  const refuse = refuseAs(options.errorFormat ?? "json");
  const router = new Router();
  options.addRoutes(router, isDraining);
  options.calls?.addRoutes(router);
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
