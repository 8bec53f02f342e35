// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Router from "@koa/router";
import Koa, { type Middleware } from "koa";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import type { LongPolls } from "../../../kernel/long-polls.ts";
import type { Clock, Logger, Random } from "../../../kernel/ports.ts";
import type { Mixer } from "../../mixer.ts";
import { createSurfaceGuard, type SurfaceNames } from "../../../api/surface-guard.ts";
import { answerErrors } from "./answer-errors.ts";
import { BodyReader } from "./body-reader.ts";
import { concurrencyLimit } from "./concurrency-limit.ts";
import { requestId } from "./request-id.ts";
import { addAuthRoutes, isAuthPath } from "../auth/routes-auth.ts";
import { addCallRoutes } from "./routes-calls.ts";
import { addOperationRoutes } from "./routes-operations.ts";

export interface MixerAppOptions {
  readonly mixer: Mixer;
  readonly polls: LongPolls;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly names: SurfaceNames;
  readonly bodyLimitBytes: number;
  readonly maxConcurrentRequests: number;
  readonly isDraining: () => boolean;
}

/** The mixer's HTTP surface. */
export function createMixerApp(options: MixerAppOptions): Koa {
  const { mixer, polls, clock, random, logger, bodyLimitBytes, maxConcurrentRequests, isDraining } = options;
  const guard = createSurfaceGuard(options.names);
  const app = new Koa();
  app.on("error", (error: unknown) =>
    logger.warn("an answer could not be sent", { error: messageOf(error) }),
  );
  const router = new Router();
  const limit = concurrencyLimit(maxConcurrentRequests);
  addCallRoutes(router, { mixer, polls, limit, bodies: new BodyReader(bodyLimitBytes) });
  addAuthRoutes(router, mixer, limit, { clock, random });
  addOperationRoutes(router, mixer, isDraining);
  app.use(requestId(random));
  app.use(async (context, next) => {
    await next();
    if (isDraining()) context.set("Connection", "close");
  });
  app.use(answerErrors(logger));
  app.use((context, next) => {
    // A gateway hands on the Host, Origin and Sec-Fetch-Site of the request that it asks about.
    const refusal = isAuthPath(context.path) ? undefined : guard(context.headers);
    if (refusal !== undefined) throw refusal;
    return next();
  });
  app.use(refuseUnrouted(router));
  app.use(router.routes());
  return app;
}

/** 404 for a path that nothing answers, 405 with Allow for one that takes other methods. */
function refuseUnrouted(router: Router): Middleware {
  return (context, next) => {
    const { path, route } = router.match(context.path, context.method);
    if (route) return next();
    if (path.length === 0) throw new PurserError("PURSER_NOT_FOUND", `there is nothing at ${context.path}`);
    const methods = [...new Set(path.flatMap((layer) => layer.methods))];
    context.set("Allow", methods.join(", "));
    throw new PurserError("PURSER_METHOD_NOT_ALLOWED", `${context.path} takes ${methods.join(", ")}`);
  };
}
