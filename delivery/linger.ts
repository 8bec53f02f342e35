// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Scheduler } from "../kernel/ports.ts";

/** Timer for how long an incomplete batch waits for further items. */
export class Linger {
  readonly #scheduler: Scheduler;
  readonly #lingerMs: number;
  readonly #onOver: () => void;
  #cancel: Cancel | undefined;
  #over = false;

  constructor(scheduler: Scheduler, lingerMs: number, onOver: () => void) {
    this.#scheduler = scheduler;
    this.#lingerMs = lingerMs;
    this.#onOver = onOver;
  }

  /** Whether the linger time is over. */
  get over(): boolean {
    return this.#over;
  }

  /** Whether the timer runs. */
  get running(): boolean {
    return this.#cancel !== undefined && !this.#over;
  }

  /** Starts the timer, unless it runs. */
  start(): void {
    if (this.#over) return;
    this.#cancel ??= this.#scheduler.after(this.#lingerMs, () => {
      this.#over = true;
      this.#onOver();
    });
  }

  /** Stops the timer, because no item waits any more or all waiting items are new. */
  reset(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#over = false;
  }
}
