// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scheduler } from "../kernel/ports.ts";

/** Callers that wait for an empty delivery, each with its own deadline. */
export class Flushes {
  readonly #scheduler: Scheduler;
  readonly #ends = new Set<() => void>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  get pending(): boolean {
    return this.#ends.size > 0;
  }

  /** Resolves at end(), or at the deadline. */
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
