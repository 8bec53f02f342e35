// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scheduler } from "../../kernel/ports.ts";
import type {
  PoolMessage,
  WorkerAnswers,
  WorkerMessage,
  WorkerProcess,
  WorkerQuestion,
} from "./worker-messages.ts";

/** Maximum time for a worker's answer; an admin client waits for it. */
const ANSWER_MS = 1_000;

export interface WorkerLinkEvents {
  onListening(message: Extract<WorkerMessage, { readonly kind: "listening" }>): void;
  onFailed(message: Extract<WorkerMessage, { readonly kind: "failed" }>): void;
  onExit(how: string): void;
}

/** The pool's view of one worker process. */
export class WorkerLink<S> {
  /** 1, 2 … in the pool; the process that replaces a worker takes its number. */
  readonly number: number;
  readonly #process: WorkerProcess<S>;
  readonly #scheduler: Scheduler;
  readonly #asked = new Map<number, (answer: WorkerAnswers[WorkerQuestion] | undefined) => void>();
  #nextId = 0;
  /** Whether it has listeners, so that it serves requests. */
  listening = false;
  /** Its newest answer about its metrics. */
  metrics: readonly object[] = [];
  ended = false;

  constructor(
    number: number,
    process: WorkerProcess<S>,
    setup: S,
    scheduler: Scheduler,
    events: WorkerLinkEvents,
  ) {
    this.number = number;
    this.#process = process;
    this.#scheduler = scheduler;
    process.onMessage = (message) => {
      switch (message.kind) {
        case "hello":
          return this.send({ kind: "start", setup });
        case "listening":
          this.listening = true;
          return events.onListening(message);
        case "failed":
          return events.onFailed(message);
        case "answer":
          return this.#asked.get(message.id)?.(message.answer);
      }
    };
    process.onExit = (how) => {
      this.ended = true;
      for (const settle of this.#asked.values()) settle(undefined);
      events.onExit(how);
    };
  }

  get pid(): number {
    return this.#process.pid;
  }

  send(message: PoolMessage<S>): void {
    if (!this.ended) this.#process.send(message);
  }

  kill(): void {
    this.#process.kill();
  }

  /** The worker's answer; undefined when it does not come within a second, or the worker ends. */
  ask<Q extends WorkerQuestion>(question: Q): Promise<WorkerAnswers[Q] | undefined> {
    if (this.ended) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const settle = (answer: WorkerAnswers[WorkerQuestion] | undefined): void => {
        cancel();
        this.#asked.delete(id);
        resolve(answer as WorkerAnswers[Q] | undefined);
      };
      const cancel = this.#scheduler.after(ANSWER_MS, () => settle(undefined));
      this.#asked.set(id, settle);
      this.#process.send({ kind: "ask", id, question });
    });
  }
}
