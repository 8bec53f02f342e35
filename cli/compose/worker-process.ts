// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import cluster, { type Worker } from "node:cluster";
import { fileURLToPath } from "node:url";
import type { WorkerMessage, WorkerProcess } from "../../proxy/workers/worker-messages.ts";
import { WORKER_ARGUMENT } from "../worker-argument.ts";

/**
 * Starts this program once more as a worker. Workers share the ports that they listen on: this process accepts
 * the connections and hands them to the workers in turn.
 */
export function forkWorker<S>(): WorkerProcess<S> {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: programFile(), args: [WORKER_ARGUMENT] });
  return new ForkedWorker<S>(cluster.fork());
}

/** The program's entry file, which is a TypeScript file when the sources run as they are. */
function programFile(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../purser.${extension}`, import.meta.url));
}

class ForkedWorker<S> implements WorkerProcess<S> {
  readonly #worker: Worker;
  onMessage: (message: WorkerMessage) => void = () => {};
  onExit: (how: string) => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: WorkerMessage) => this.onMessage(message));
    // A message to a process that has just ended; its exit event follows.
    worker.on("error", () => {});
    worker.on("exit", (code, signal: string | null) =>
      this.onExit(signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
  }

  get pid(): number {
    return this.#worker.process.pid ?? 0;
  }

  send(message: Parameters<WorkerProcess<S>["send"]>[0]): void {
    if (this.#worker.isConnected()) this.#worker.send(message as object);
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }
}
