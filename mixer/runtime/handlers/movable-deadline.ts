// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Clock, Scheduler } from "../../../kernel/ports.ts";

/** A deadline that can be shortened and never extended. */
export class MovableDeadline {
  /** Resolves when the deadline is reached; never resolves when it is cancelled first. */
  readonly reached: Promise<void>;
  readonly #runtime: { readonly clock: Clock; readonly scheduler: Scheduler };
  #endMs = Number.POSITIVE_INFINITY;
  #reach: () => void = () => {};
  #cancel: Cancel = () => {};

  constructor(runtime: { readonly clock: Clock; readonly scheduler: Scheduler }) {
    this.#runtime = runtime;
    this.reached = new Promise((resolve) => (this.#reach = resolve));
  }

  /** @returns False when the deadline was already that soon. */
  bringForward(durationMs: number): boolean {
    const endMs = this.#runtime.clock.monotonicMs() + durationMs;
    if (endMs >= this.#endMs) return false;
    this.#endMs = endMs;
    this.#cancel();
    this.#cancel = this.#runtime.scheduler.after(durationMs, this.#reach);
    return true;
  }

  cancel(): void {
    this.#cancel();
  }
}
