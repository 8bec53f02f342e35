// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Random } from "./ports.ts";

export interface CircuitBreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Failures in a row that open it. */
  readonly failures: number;
  /** How long it stays open at most, in milliseconds; at least half of it, so that callers do not all try at once. */
  readonly openMs: number;
}

/** Names the state in which a call began, so that the results of calls begun earlier change nothing. */
export type Ticket = number;

/**
 * Keeps a peer that is away from costing every call a timeout. closed: calls go through; open: none does; half-open:
 * one is under way to find out.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #state: "closed" | "open" | "half-open" = "closed";
  #generation: Ticket = 0;
  #failures = 0;
  #openUntilMs = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  get state(): "closed" | "open" | "half-open" {
    return this.#state;
  }

  /** How long until a call may find out whether the peer is back, in milliseconds; 0 unless open. */
  get waitMs(): number {
    if (this.#state !== "open") return 0;
    return Math.max(0, this.#openUntilMs - this.#options.clock.monotonicMs());
  }

  /** Whether begin() would let a call through. */
  get admits(): boolean {
    if (this.#state === "open") return this.#options.clock.monotonicMs() >= this.#openUntilMs;
    return this.#state === "closed";
  }

  /** A ticket for a call, which must be handed to `end`; undefined when there must be none. */
  begin(): Ticket | undefined {
    if (!this.admits) return undefined;
    return this.#state === "closed" ? this.#generation : this.#enter("half-open");
  }

  end(ticket: Ticket, succeeded: boolean): void {
    if (ticket !== this.#generation) return;
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
    return ++this.#generation;
  }
}
