// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../core/kernel/ports.ts";

/** Failures in a row after which a backend is left alone. */
export const BREAKER_FAILURES = 5;
/** How long it is left alone before one call tries again. */
export const BREAKER_OPEN_MS = 5_000;

/** Keeps from calling a backend that is down. For callers that have one call under way at a time. */
export class CircuitBreaker {
  readonly #clock: Clock;
  #failures = 0;
  #openUntilMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long until a call may be tried; 0 for now. */
  get waitMs(): number {
    return Math.max(0, this.#openUntilMs - this.#clock.monotonicMs());
  }

  get open(): boolean {
    return this.#failures >= BREAKER_FAILURES;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntilMs = 0;
  }

  failed(): void {
    this.#failures += 1;
    if (this.open) this.#openUntilMs = this.#clock.monotonicMs() + BREAKER_OPEN_MS;
  }
}
