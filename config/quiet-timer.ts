// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Clock, Scheduler } from "../kernel/ports.ts";

/**
 * Debounce timer: runs a task after a quiet time without events, or after a longest wait when events keep
 * coming.
 */
export class QuietTimer {
  readonly #ports: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly #quietMs: number;
  readonly #longestMs: number;
  readonly #task: () => void;
  #firstMs: number | undefined;
  #cancel: Cancel | undefined;

  constructor(
    ports: { readonly clock: Clock; readonly scheduler: Scheduler },
    times: { readonly quietMs: number; readonly longestMs: number },
    task: () => void,
  ) {
    this.#ports = ports;
    this.#quietMs = times.quietMs;
    this.#longestMs = times.longestMs;
    this.#task = task;
  }

  /** Records an event: the quiet time starts anew. */
  disturb(): void {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#firstMs ??= nowMs;
    const leftMs = Math.max(0, this.#firstMs + this.#longestMs - nowMs);
    this.#cancel?.();
    this.#cancel = this.#ports.scheduler.after(Math.min(this.#quietMs, leftMs), () => {
      this.#firstMs = undefined;
      this.#cancel = undefined;
      this.#task();
    });
  }

  /** Cancels the pending run. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#firstMs = undefined;
  }
}
