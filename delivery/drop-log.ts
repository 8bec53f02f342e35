// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../kernel/errors.ts";
import type { Clock, Logger } from "../kernel/ports.ts";

/** Minimum interval between log lines: a receiver that is away must not fill the log. */
const LOG_INTERVAL_MS = 10_000;

/** Logs dropped telemetry: the first drop at once, later ones summed up. */
export class DropLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #nextLogMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;
  #last: { readonly reason: string; readonly error?: string } | undefined;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  dropped(items: number, reason: string, error?: unknown): void {
    if (items === 0) return;
    this.#unlogged += items;
    this.#last = { reason, ...(error === undefined ? {} : { error: messageOf(error) }) };
    if (this.#clock.monotonicMs() >= this.#nextLogMs) this.flush();
  }

  /** Logs the drops that are not logged yet; for the close. */
  flush(): void {
    if (this.#unlogged === 0) return;
    this.#nextLogMs = this.#clock.monotonicMs() + LOG_INTERVAL_MS;
    this.#logger.warn("telemetry was dropped", { items: this.#unlogged, ...this.#last });
    this.#unlogged = 0;
  }
}
