// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, LogFields, Logger } from "../../../kernel/ports.ts";

const WINDOW_MS = 10_000;
const MAX_LINES_PER_WINDOW = 20;

/**
 * Logs changes of endpoints' health: a line for each, 20 in 10 seconds at most. The first line after a time
 * with more changes says how many had none.
 */
export class HealthLog {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #windowEndMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unlogged = 0;

  constructor(logger: Logger, clock: Pick<Clock, "monotonicMs">) {
    this.#logger = logger;
    this.#clock = clock;
  }

  unhealthy(fields: LogFields): void {
    const more = this.#next();
    if (more !== undefined) this.#logger.warn("an endpoint is unhealthy", { ...fields, ...more });
  }

  healthy(fields: LogFields): void {
    const more = this.#next();
    if (more !== undefined) this.#logger.info("an endpoint is healthy again", { ...fields, ...more });
  }

  /** Further fields of the next line; undefined when there must not be one. */
  #next(): LogFields | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#lines = 0;
    }
    if (this.#lines >= MAX_LINES_PER_WINDOW) {
      this.#unlogged++;
      return undefined;
    }
    this.#lines++;
    const unlogged = this.#unlogged;
    this.#unlogged = 0;
    return unlogged === 0 ? {} : { changesWithoutLine: unlogged };
  }
}
