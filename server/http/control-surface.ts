// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../../kernel/errors.ts";
import { listenError } from "../../kernel/listen-error.ts";
import type { Logger, Random, Scheduler } from "../../kernel/ports.ts";
import type { LongPolls } from "./long-polls.ts";
import { createSurfaceApp, type SurfaceAppOptions } from "./surface-app.ts";

/** Where a surface listens. */
export interface SurfaceAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Names that the surface is reached by besides those of surface-guard.ts; default none. */
  readonly allowedHosts?: readonly string[];
}

export interface ControlSurfaceSettings
  extends SurfaceAddress,
    Omit<SurfaceAppOptions, "names" | "isDraining"> {
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** The polls that `addRoutes` holds, so that draining answers them. */
  readonly polls?: LongPolls;
  /** For the head, and for the whole, of a request; beyond it 408. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

/** A control surface that listens: HTTP/1.1 with JSON or text, for other processes, people and orchestrators. */
export interface ControlSurface {
  readonly host: string;
  readonly port: number;
  /** Answers held polls at once and keeps no connection open; /readyz says 503 from now on. */
  drain(): void;
  /** Drains, and resolves when every connection is closed: those still busy after `graceMs` are cut. Default 5000. */
  close(graceMs?: number): Promise<void>;
}

/** Clients keep their connections: longer than they leave one idle, so that the client closes it and no call is lost. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN. */
export async function startControlSurface(settings: ControlSurfaceSettings): Promise<ControlSurface> {
  const { host, allowedHosts = [], scheduler, logger, polls, requestTimeoutMs = 10_000 } = settings;
  let draining = false;
  const names = { boundHost: host, allowedHosts };
  const app = createSurfaceApp({ ...settings, names, isDraining: () => draining });
  const handle = app.callback();
  const timeouts = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Node's default is 30 s: a request could be late by as much.
    connectionsCheckingInterval: requestTimeoutMs / 10,
  };
  const server = createServer(timeouts, (request, response) => {
    void handle(request, response);
  });
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
      await close(server, scheduler, graceMs);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(error, host, port));
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
    // The only error is that the server was closed before.
    server.close(() => {
      cancel();
      resolve();
    });
    if (graceMs > 0) server.closeIdleConnections();
    else server.closeAllConnections();
  });
}
