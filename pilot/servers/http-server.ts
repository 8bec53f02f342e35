// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { listenError } from "../../kernel/listen-error.ts";
import { LongPolls } from "../../kernel/long-polls.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";
import { createPilotApp } from "./http-app.ts";
import { createPilotMetrics } from "./http-metrics.ts";
import type { Pilot } from "../pilot.ts";

export interface PilotHttpSettings {
  readonly pilot: Pilot;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Names that it is reached by besides those of api/surface-guard.ts; default none. */
  readonly allowedHosts?: readonly string[];
  /** Polls held at once; beyond it 503. Default 1000. */
  readonly maxPolls?: number;
  /** Default 8192. */
  readonly maxUrlLength?: number;
}

export interface PilotHttpServer {
  readonly host: string;
  readonly port: number;
  /** Answers held polls at once and takes no more; /readyz says 503 from now on. */
  drain(): void;
  /** Drains, and resolves when every connection is closed: those still busy after `graceMs` are cut. Default 5000. */
  close(graceMs?: number): Promise<void>;
}

/** For the head, and for the whole, of a request; then 408. Node's default is to look every 30 s only. */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };

/** @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN. */
export async function startPilotHttpServer(settings: PilotHttpSettings): Promise<PilotHttpServer> {
  const { pilot, logger, scheduler, maxPolls = 1000, maxUrlLength = 8192 } = settings;
  const polls = new LongPolls(scheduler, maxPolls);
  const metrics = createPilotMetrics(pilot, polls);
  let draining = false;
  const names = { boundHost: settings.host, allowedHosts: settings.allowedHosts ?? [] };
  const isDraining = (): boolean => draining;
  const app = createPilotApp({ pilot, polls, metrics, logger, names, maxUrlLength, isDraining });
  const handle = app.callback();
  const server = createServer(TIMEOUTS, (request, response) => {
    void handle(request, response);
  });
  await listen(server, settings.host, settings.port);
  const drain = () => {
    draining = true;
    polls.drain();
  };
  return {
    host: settings.host,
    port: (server.address() as AddressInfo).port,
    drain,
    async close(graceMs = 5000) {
      drain();
      await close(server, scheduler, graceMs);
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function close(server: Server, scheduler: Scheduler, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = scheduler.after(graceMs, () => server.closeAllConnections());
    // The only error is that it was closed before.
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}
