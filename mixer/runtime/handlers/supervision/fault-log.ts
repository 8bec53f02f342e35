// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger } from "../../../../kernel/ports.ts";
import type { FaultKind } from "./fault-kind.ts";

/** Minimum interval between the lines of one kind: a handler that fails at each call must not fill the log. */
const LOG_INTERVAL_MS = 10_000;

const MESSAGES: Readonly<Record<FaultKind, string>> = {
  exception: "the handler threw where nobody awaits it, such as in a timer",
  rejection: "the handler left a rejected promise that nobody awaits",
  unsettled: "a call of the handler did not settle within its deadline",
  blocked: "a call of the handler blocked the event loop",
};

/** Logs a handler's faults: the first of a kind at once, later ones summed up. */
export class FaultLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #kinds = new Map<FaultKind, { nextMs: number; unlogged: number; last: string }>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  fault(kind: FaultKind, error: string): void {
    const state = this.#kinds.get(kind) ?? { nextMs: Number.NEGATIVE_INFINITY, unlogged: 0, last: "" };
    this.#kinds.set(kind, state);
    state.unlogged++;
    state.last = error;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < state.nextMs) return;
    state.nextMs = nowMs + LOG_INTERVAL_MS;
    this.#write(kind, state);
  }

  /** Logs the faults that are not logged yet; for the close. */
  flush(): void {
    for (const [kind, state] of this.#kinds) if (state.unlogged > 0) this.#write(kind, state);
  }

  #write(kind: FaultKind, state: { unlogged: number; last: string }): void {
    this.#logger.error(MESSAGES[kind], { fault: kind, times: state.unlogged, error: state.last });
    state.unlogged = 0;
  }
}
