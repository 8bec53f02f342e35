// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext, Scheduler } from "../../../plugins/sdk/index.ts";

/** Deadlines of calls that the adapter makes of its own accord; the host gives one to all others. */
export class CallDeadlines {
  readonly #scheduler: Scheduler;
  readonly #timeoutMs: number;
  readonly #running = new Set<AbortController>();
  #aborted = false;

  constructor(scheduler: Scheduler, timeoutMs: number) {
    this.#scheduler = scheduler;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `work` with a signal that aborts after the timeout. */
  async run<T>(work: (call: CallContext) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    if (this.#aborted) controller.abort();
    const cancel = this.#scheduler.after(this.#timeoutMs, () => controller.abort());
    this.#running.add(controller);
    try {
      return await work({ signal: controller.signal });
    } finally {
      cancel();
      this.#running.delete(controller);
    }
  }

  /** Ends the calls under way, and every later one at once. */
  abort(): void {
    this.#aborted = true;
    for (const controller of this.#running) controller.abort();
  }
}
