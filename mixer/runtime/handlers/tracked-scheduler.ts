// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Logger, Scheduler } from "../../../kernel/ports.ts";

/** A handler's own scheduler: tasks that the handler forgets to cancel end with it. */
export class TrackedScheduler implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  readonly #run: (task: () => void) => void;
  readonly #pending = new Set<Cancel>();
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
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
    return leaked;
  }

  #track(task: () => void, start: (run: () => void, forget: () => void) => Cancel): Cancel {
    if (this.#closed) {
      this.#logger.warn("a handler scheduled work after it was closed; it will not run");
      return () => {};
    }
    const cancel = start(
      () => this.#run(task),
      () => this.#pending.delete(cancel),
    );
    this.#pending.add(cancel);
    return () => {
      this.#pending.delete(cancel);
      cancel();
    };
  }
}
