// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallOptions } from "../../api/mixer-service.ts";
import type { CircuitBreaker, Ticket } from "../../kernel/circuit-breaker.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import { attempt, chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Scheduler } from "../../kernel/ports.ts";
import type { ClientStats } from "./stats.ts";

/** The mixer's reply, or `Unavailable`. A value and never thrown, since every caller has a fallback. */
export type Answer<T> = T | Unavailable;

/** The mixer could not be asked. A class, so that no reply can be mistaken for it. */
export class Unavailable {
  /** PURSER_MIXER_UNAVAILABLE, with the actual failure as its cause. */
  readonly error: PurserError;

  constructor(error: PurserError) {
    this.error = error;
  }
}

export interface MixerCallerOptions {
  readonly scheduler: Scheduler;
  readonly breaker: CircuitBreaker;
  readonly stats: ClientStats;
}

/** Calls the mixer with a deadline and behind a circuit breaker; synchronous when the mixer is. */
export class MixerCaller {
  readonly #scheduler: Scheduler;
  readonly #breaker: CircuitBreaker;
  readonly #stats: ClientStats;

  constructor({ scheduler, breaker, stats }: MixerCallerOptions) {
    this.#scheduler = scheduler;
    this.#breaker = breaker;
    this.#stats = stats;
  }

  call<T>(timeoutMs: number, step: (options: CallOptions) => MaybePromise<T>): MaybePromise<Answer<T>> {
    const ticket = this.#breaker.begin();
    if (ticket === undefined) {
      this.#stats.remote_call_short_circuits++;
      return new Unavailable(unavailable("the mixer was away a moment ago; it is tried again shortly"));
    }
    this.#stats.remote_calls++;
    return attempt<Answer<T>>(
      () =>
        chain(
          withDeadline(this.#scheduler, timeoutMs, step, () => new LateReply(timeoutMs)),
          (reply) => this.#succeed(ticket, reply),
        ),
      (error) => this.#fail(ticket, error),
    );
  }

  #succeed<T>(ticket: Ticket, reply: T): T {
    this.#stats.remote_call_successes++;
    this.#breaker.end(ticket, true);
    return reply;
  }

  #fail(ticket: Ticket, error: unknown): Unavailable {
    if (error instanceof LateReply) {
      this.#stats.remote_call_timeouts++;
      this.#breaker.end(ticket, false);
      return new Unavailable(unavailable(error.message));
    }
    this.#stats.remote_call_errors++;
    // A mixer that refuses a call as invalid is up: the circuit breaker must stay closed.
    const refused = isPurserError(error) && !error.retryable;
    this.#breaker.end(ticket, refused);
    return new Unavailable(
      isPurserError(error) && error.code === "PURSER_MIXER_UNAVAILABLE"
        ? error
        : unavailable(messageOf(error), error),
    );
  }
}

class LateReply extends Error {
  constructor(timeoutMs: number) {
    super(`the mixer did not answer within ${timeoutMs} ms`);
  }
}

function unavailable(message: string, cause?: unknown): PurserError {
  return new PurserError("PURSER_MIXER_UNAVAILABLE", message, { cause });
}
