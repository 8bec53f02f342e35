// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Clock, Scheduler } from "../kernel/ports.ts";

/** Runs a task once things have been quiet for a while; or, when they never are, after a longest wait. */
export class QuietTimer {
  readonly #world: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly #quietMs: number;
  readonly #longestMs: number;
  readonly #task: () => void;
  #firstMs: number | undefined;
  #cancel: Cancel | undefined;

  constructor(
    world: { readonly clock: Clock; readonly scheduler: Scheduler },
    times: { readonly quietMs: number; readonly longestMs: number },
    task: () => void,
  ) {
    this.#world = world;
    this.#quietMs = times.quietMs;
    this.#longestMs = times.longestMs;
    this.#task = task;
  }

  /** Something happened: the quiet begins anew. */
  disturb(): void {
    const nowMs = this.#world.clock.monotonicMs();
    this.#firstMs ??= nowMs;
    const leftMs = Math.max(0, this.#firstMs + this.#longestMs - nowMs);
    this.#cancel?.();
    this.#cancel = this.#world.scheduler.after(Math.min(this.#quietMs, leftMs), () => {
      this.#firstMs = undefined;
      this.#cancel = undefined;
      this.#task();
    });
  }

  /** Forgets what happened. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#firstMs = undefined;
  }
}
