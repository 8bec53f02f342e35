// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Scheduler } from "../kernel/ports.ts";

/** How long an incomplete batch waits for further items. */
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

  /** Whether the items that wait have waited long enough. */
  get over(): boolean {
    return this.#over;
  }

  /** Begins the wait, unless it has begun. */
  start(): void {
    if (this.#over) return;
    this.#cancel ??= this.#scheduler.after(this.#lingerMs, () => {
      this.#over = true;
      this.#onOver();
    });
  }

  /** No item waits any more, or those that do have just come. */
  reset(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#over = false;
  }
}
