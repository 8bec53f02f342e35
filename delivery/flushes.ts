// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scheduler } from "../kernel/ports.ts";

/** Callers that wait until nothing is left to deliver, each within a deadline of its own. */
export class Flushes {
  readonly #scheduler: Scheduler;
  readonly #ends = new Set<() => void>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get pending(): boolean {
    return this.#ends.size > 0;
  }

  /** Resolves with end(), or when the deadline has passed. */
  wait(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#ends.delete(end);
        resolve();
      };
      const cancel = this.#scheduler.after(deadlineMs, end);
      this.#ends.add(end);
    });
  }

  end(): void {
    for (const end of this.#ends) end();
  }
}
