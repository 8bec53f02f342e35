// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Random } from "./ports.ts";

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Consecutive failures that open the breaker. */
  readonly failures: number;
  /**
   * Longest time that the breaker stays open, in milliseconds. Each time is at random between half of it and
   * all of it, so that callers do not all try at once.
   */
  readonly openMs: number;
}

/**
 * Names the state in which a call began, so that results of calls that began in an earlier state change
 * nothing.
 */
export type Ticket = number;

/**
 * Circuit breaker: keeps an unavailable peer from costing every call a timeout. closed: calls go through;
 * open: no call does; half-open: one call is under way to probe the peer.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #state: "closed" | "open" | "half-open" = "closed";
  #period: Ticket = 0;
  #failures = 0;
  #openUntilMs = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): "closed" | "open" | "half-open" {
    return this.#state;
  }

  /** Time until a call may probe the peer, in milliseconds; 0 unless open. */
  get waitMs(): number {
    if (this.#state !== "open") return 0;
    return Math.max(0, this.#openUntilMs - this.#options.clock.monotonicMs());
  }

  /** Whether begin() would let a call through. */
  get admits(): boolean {
    if (this.#state === "open") return this.#options.clock.monotonicMs() >= this.#openUntilMs;
    return this.#state === "closed";
  }

  /** A ticket that the call must hand to `end`; undefined when the call must not be made. */
  begin(): Ticket | undefined {
    if (!this.admits) return undefined;
    return this.#state === "closed" ? this.#period : this.#enter("half-open");
  }

  end(ticket: Ticket, succeeded: boolean): void {
    if (ticket !== this.#period) return;
    if (succeeded) {
      this.#failures = 0;
      if (this.#state !== "closed") this.#enter("closed");
      return;
    }
    this.#failures++;
    if (this.#state === "closed" && this.#failures < this.#options.failures) return;
    const { clock, random, openMs } = this.#options;
    this.#openUntilMs = clock.monotonicMs() + openMs * (0.5 + random() / 2);
    this.#enter("open");
  }

  #enter(state: "closed" | "open" | "half-open"): Ticket {
    this.#state = state;
    return ++this.#period;
  }
}
