// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import { messageOf } from "../../kernel/errors.ts";
import { listenError } from "../listen-error.ts";
import type { Logger, Random, Scheduler } from "../../kernel/ports.ts";
import { JsonCalls, type JsonCallsOptions } from "./json/json-calls.ts";
import type { LongPolls } from "./long-polls.ts";
import { createSurfaceApp, type SurfaceAppOptions } from "./surface-app.ts";
import type { SurfaceProcess } from "./process-routes.ts";
import { createAccessCheck, type SurfaceAccess } from "./surface-access.ts";
import { createSurfaceGuard } from "./surface-guard.ts";

/** Address of a control surface. */
export interface SurfaceAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Host names of the surface in addition to those that surface-guard.ts allows; default none. */
  readonly allowedHosts?: readonly string[];
  /** Who may use the surface; default everybody. */
  readonly access?: SurfaceAccess | undefined;
  /** Absent: the surface speaks plain HTTP. */
  readonly tls?: SurfaceTls | undefined;
  /** The process that the surface tells of and controls; absent: /v1/version and /v1/log-level do not exist. */
  readonly process?: SurfaceProcess | undefined;
}

/** The TLS of a control surface: certificates that change while it runs. */
export interface SurfaceTls {
  /** The options for handshakes from now on. */
  readonly options: TlsOptions;
  /** Calls `onChange` after each change of `options`, until the returned function is called. */
  watch(onChange: () => void): () => void;
}

export interface ControlSurfaceSettings
  extends SurfaceAddress,
    Omit<SurfaceAppOptions, "names" | "isDraining" | "calls" | "accessCheck"> {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Calls that are served in front of the routes. */
  readonly calls?: JsonCallsOptions;
  /** The polls that `addRoutes` holds, so that a drain answers them. */
  readonly polls?: LongPolls;
  /** Timeout of a request's head, and of the whole request, in milliseconds; then 408. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

/**
 * A listening control surface: HTTP/1.1 with JSON or text, for other processes, operators and orchestrators.
 */
export interface ControlSurface {
  readonly host: string;
  readonly port: number;
  /** Answers held polls at once, ends keep-alive on every connection, and makes /readyz return 503. */
  drain(): void;
  /**
   * Drains, and resolves when every connection is closed; busy connections are cut after `graceMs`. Default
   * 5000.
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Longer than clients keep an idle connection, so that the client closes it and no call is lost (keep-alive
 * race).
 */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN. */
export async function startControlSurface(settings: ControlSurfaceSettings): Promise<ControlSurface> {
  const { host, allowedHosts = [], scheduler, logger, polls, tls, requestTimeoutMs = 10_000 } = settings;
  let draining = false;
  const names = { boundHost: host, allowedHosts };
  const isDraining = (): boolean => draining;
  const accessCheck = createAccessCheck(settings.access);
  const { name, random, calls: served } = settings;
  const calls =
    served &&
    new JsonCalls(served, {
      name,
      random,
      logger,
      guard: createSurfaceGuard(names),
      accessCheck,
      isDraining,
    });
  const app = createSurfaceApp({ ...settings, names, isDraining, calls, accessCheck });
  const handle = app.callback();
  const timeouts = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // node:http checks every 30 s by default: requests could exceed their timeout by as much.
    connectionsCheckingInterval: requestTimeoutMs / 10,
  };
  const onRequest: RequestListener = (request, response) => {
    if (calls?.takes(request) === true) calls.serve(request, response);
    else void handle(request, response);
  };
  const secured =
    tls && createTlsServer({ ...timeouts, handshakeTimeout: requestTimeoutMs, ...tls.options }, onRequest);
  const server = secured ?? createServer(timeouts, onRequest);
  const stopWatching = tls?.watch(() => secured?.setSecureContext(tls.options));
  await listen(server, host, settings.port);
  server.on("error", (error) => logger.warn("a connection was not accepted", { error: messageOf(error) }));
  const drain = (): void => {
    draining = true;
    polls?.drain();
  };
  return {
    host,
    port: (server.address() as AddressInfo).port,
    drain,
    async close(graceMs = 5_000) {
      drain();
      stopWatching?.();
      await close(server, scheduler, graceMs);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => void listenError(error, { host, port }).then(reject);
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
}

function close(server: Server, scheduler: Scheduler, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = scheduler.after(graceMs, () => server.closeAllConnections());
    // The only possible error is that the server is closed already.
    server.close(() => {
      cancel();
      resolve();
    });
    if (graceMs > 0) server.closeIdleConnections();
    else server.closeAllConnections();
  });
}
