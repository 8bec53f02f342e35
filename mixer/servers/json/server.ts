// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { listenError } from "../../../kernel/listen-error.ts";
import { LongPolls } from "../../../kernel/long-polls.ts";
import type { Clock, Logger, Random, Scheduler } from "../../../kernel/ports.ts";
import type { Mixer } from "../../mixer.ts";
import { createMixerApp } from "./app.ts";

export interface MixerHttpSettings {
  readonly mixer: Mixer;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Names that it is reached by besides those of api/surface-guard.ts; default none. */
  readonly allowedHosts?: readonly string[];
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** Checks, quota calls, reports and auth requests under way at once; beyond it 503. Default 1024, as in Mixer. */
  readonly maxConcurrentRequests?: number;
  /** Polls held at once; beyond it 503. Default 1000. */
  readonly maxPolls?: number;
  /** For the head, and for the whole, of a request; beyond it 408. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

export interface MixerHttpServer {
  readonly host: string;
  readonly port: number;
  /** Answers held polls at once and keeps no connection open; /readyz says 503 from now on. */
  drain(): void;
  /** Drains, and resolves when every connection is closed: those still busy after `graceMs` are cut. Default 5000. */
  close(graceMs?: number): Promise<void>;
}

/** Proxies keep their connections: longer than they leave one idle, so that it is they who close it. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** @throws {PurserError} PURSER_PORT_TAKEN, PURSER_PORT_FORBIDDEN. */
export async function startMixerHttpServer(settings: MixerHttpSettings): Promise<MixerHttpServer> {
  const {
    mixer,
    scheduler,
    bodyLimitBytes = 1_048_576,
    maxConcurrentRequests = 1_024,
    maxPolls = 1_000,
    requestTimeoutMs = 10_000,
  } = settings;
  const { clock, random, logger } = settings;
  const polls = new LongPolls(scheduler, maxPolls);
  let draining = false;
  const isDraining = () => draining;
  const limits = { bodyLimitBytes, maxConcurrentRequests };
  const names = { boundHost: settings.host, allowedHosts: settings.allowedHosts ?? [] };
  const app = createMixerApp({ mixer, polls, clock, random, logger, names, isDraining, ...limits });
  const handle = app.callback();
  const timeouts = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Node's default is 30 s: a request could be late by as much.
    connectionsCheckingInterval: requestTimeoutMs / 10,
  };
  const server = createServer(
    { ...timeouts, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS },
    (request, response) => {
      void handle(request, response);
    },
  );
  await listen(server, settings.host, settings.port);
  const drain = (): void => {
    draining = true;
    polls.drain();
  };
  return {
    host: settings.host,
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
