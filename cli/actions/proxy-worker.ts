// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import { answerOf } from "../../proxy/workers/serve-worker.ts";
import type { PoolMessage, WorkerMessage } from "../../proxy/workers/worker-messages.ts";
import { type RemoteProxy, startRemoteProxy } from "../compose/part-remote-proxy.ts";
import type { WorkerSetup } from "../compose/part-workers.ts";
import { createRuntime, type ProcessRuntime } from "../compose/runtime.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";

/** Time to stop when the pool's process is gone. */
const ORPHAN_DRAIN_MS = 1_000;

/** Runs this process as a worker of a pool, by the pool's messages; resolves when it has drained. */
export async function runWorker(): Promise<void> {
  // The pool drains its workers; a terminal sends the signal to every process of the group.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  let worker: RemoteProxy | undefined;
  let runtime: ProcessRuntime | undefined;
  await new Promise<void>((resolve) => {
    process.on("disconnect", () => {
      void (worker?.stop(ORPHAN_DRAIN_MS) ?? Promise.resolve()).then(resolve);
    });
    process.on("message", (message: PoolMessage<WorkerSetup>) => {
      switch (message.kind) {
        case "start":
          runtime = createRuntime(message.setup);
          void startWorker(message.setup, runtime).then(
            (started) => {
              worker = started;
              send({ kind: "listening", listeners: started.proxy.addresses().listeners });
            },
            (error: unknown) => {
              const { code, details } = isPurserError(error) ? error : new PurserError("PURSER_INTERNAL", "");
              send({ kind: "failed", code, message: messageOf(error), details });
              resolve();
            },
          );
          return;
        case "ask":
          if (worker !== undefined) void answerOf(worker.proxy, message.id, message.question).then(send);
          return;
        case "log-level":
          return runtime?.logLevel.set(message.level);
        case "drain":
          void (worker?.stop(message.deadlineMs) ?? Promise.resolve()).then(resolve);
      }
    });
    send({ kind: "hello" });
  });
}

function send(message: WorkerMessage): void {
  // The pool may have ended meanwhile; the disconnect event stops this process then.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

async function startWorker(setup: WorkerSetup, created: ProcessRuntime): Promise<RemoteProxy> {
  const runtime = { ...created, logger: created.logger.child({ worker: setup.worker }) };
  surviveHandlers(runtime.logger);
  return startRemoteProxy(setup, runtime, { workers: setup.workers });
}
