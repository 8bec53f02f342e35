// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kernel/ports.ts";

/** How long a task works before others run, in milliseconds. A step after it takes less than as long again. */
const TURN_MS = 2;

/** Divides a long task among turns of the event loop. */
export class Pacer {
  readonly #clock: Clock;
  #turnEndMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turnEndMs = clock.monotonicMs() + TURN_MS;
  }

  /** Whether the task has worked long enough. */
  get isDue(): boolean {
    return this.#clock.monotonicMs() >= this.#turnEndMs;
  }

  /** Lets everything else that is ready run. */
  async rest(): Promise<void> {
    await setImmediate();
    this.#turnEndMs = this.#clock.monotonicMs() + TURN_MS;
  }
}
