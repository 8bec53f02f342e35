// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Linked, LinkedList, UNLISTED } from "../../../kernel/linked-list.ts";
import type { Cancel, Logger, Scheduler } from "../../../kernel/ports.ts";

interface PendingTask extends Linked<PendingTask> {
  cancel: Cancel;
}

/** A handler's own scheduler: tasks that the handler forgets to cancel end with it. */
export class TrackedScheduler implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #run: (task: () => void) => void;
  readonly #pending = new LinkedList<PendingTask>();
  #closed = false;

  /** @param run Runs a task of the handler; must not throw. */
  constructor(scheduler: Scheduler, logger: Logger, run: (task: () => void) => void) {
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#run = run;
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#track(task, (run, forget) =>
      this.#scheduler.after(delayMs, () => {
        forget();
        run();
      }),
    );
  }

  every(intervalMs: number, task: () => void): Cancel {
    return this.#track(task, (run) => this.#scheduler.every(intervalMs, run));
  }

  /** Cancels all scheduled tasks and returns their number; nothing can be scheduled afterwards. */
  close(): number {
    this.#closed = true;
    const leaked = this.#pending.size;
    for (const task of this.#pending) {
      this.#pending.remove(task);
      task.cancel();
    }
    return leaked;
  }

  #track(task: () => void, start: (run: () => void, forget: () => void) => Cancel): Cancel {
    if (this.#closed) {
      this.#logger.warn("a handler scheduled work after it was closed; it will not run");
      return () => {};
    }
    const pending: PendingTask = { ...UNLISTED, cancel: () => undefined };
    this.#pending.pushLast(pending);
    pending.cancel = start(
      () => this.#run(task),
      () => this.#pending.remove(pending),
    );
    return () => {
      this.#pending.remove(pending);
      pending.cancel();
    };
  }
}
