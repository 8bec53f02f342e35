// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { TicketKeys } from "../../proxy/transport/tls/ticket-keys.ts";
import { WorkerPool } from "../../proxy/workers/worker-pool.ts";
import type { SurfaceAddress } from "../../server/http/control-surface.ts";
import type { ProxyPart } from "./part-proxy.ts";
import type { RemoteProxySettings } from "./part-remote-proxy.ts";
import { type ProcessRuntime, runtimeOfPart } from "./runtime.ts";
import { forkWorker } from "./worker-process.ts";

/** A worker's whole setup, sent to its process. */
export interface WorkerSetup extends RemoteProxySettings {
  /** 1, 2 … */
  readonly worker: number;
  readonly workers: number;
}

export interface WorkersWiring {
  readonly settings: RemoteProxySettings;
  /** Number of workers, 1 or more. */
  readonly workers: number;
  readonly admin: SurfaceAddress;
  readonly drainMs: number;
}

/** Starts a proxy as a pool of worker processes. @throws {PurserError} when a worker cannot start. */
export async function startWorkers(
  { settings, workers, admin, drainMs }: WorkersWiring,
  runtime: ProcessRuntime,
): Promise<ProxyPart> {
  const { node } = settings;
  // A session that one worker began is resumed by any other.
  const tickets = new TicketKeys(runtime.clock);
  const pool = new WorkerPool<WorkerSetup>({
    ...runtimeOfPart(runtime, "workers"),
    workers,
    fork: forkWorker,
    setupOf: (worker) => ({
      ...settings,
      // A worker that is replaced has the level of now.
      logLevel: runtime.logLevel.level,
      worker,
      workers,
      ticketSecret: tickets.state(),
      // The mixer counts each worker as a proxy, which it is in its leases and its cache.
      node: { ...node, id: `${node.id}~${worker}` },
    }),
    admin,
    drainMs,
  });
  await pool.start();
  const stopWatching = runtime.logLevel.watch((level) => pool.setLogLevel(level));
  return {
    name: node.id,
    node,
    proxy: pool,
    close: (deadlineMs) => {
      stopWatching();
      return pool.close(deadlineMs);
    },
  };
}
