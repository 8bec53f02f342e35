// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CircuitBreaker } from "../kernel/circuit-breaker.ts";
import { withDeadline } from "../kernel/deadline.ts";
import type { PurserError } from "../kernel/errors.ts";
import { attempt, chain, isPromise } from "../kernel/maybe-promise.ts";
import type { Cancel, Clock, Random, Scheduler } from "../kernel/ports.ts";
import type { Batch } from "./batch.ts";
import type { Sender, SendOutcome } from "./sender.ts";

export interface AttemptsOptions<T> {
  readonly send: Sender<T>;
  /** Timeout of a try, in milliseconds. */
  readonly timeoutMs: number;
  /** Returns the error of a try that timed out. */
  readonly onTimeout: () => PurserError;
  /** Maximum number of concurrent tries. */
  readonly maxInFlight: number;
  /** Circuit breaker: opens for up to `openMs` after this many consecutive failures. */
  readonly breaker: { readonly failures: number; readonly openMs: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Called when the circuit breaker admits a try again. */
  readonly onReady: () => void;
}

/** How a try ended: the receiver answered, or the whole batch failed. */
export type TryEnd =
  | { readonly ok: true; readonly outcome: SendOutcome }
  | { readonly ok: false; readonly error: unknown };

/** Tries to send batches: each with a timeout, behind the circuit breaker, with limited concurrency. */
export class Attempts<T> {
  readonly #options: AttemptsOptions<T>;
  readonly #breaker: CircuitBreaker;
  /** No Set, for the reason that LinkedList gives. At most `maxInFlight`, which are few. */
  readonly #underWay: Batch<T>[] = [];
  #cancelWait: Cancel | undefined;

  constructor(options: AttemptsOptions<T>) {
    const { clock, random, breaker } = options;
    this.#options = options;
    this.#breaker = new CircuitBreaker({ clock, random, ...breaker });
  }

  get underWay(): readonly Batch<T>[] {
    return this.#underWay;
  }

  /** State of the circuit breaker. */
  get state(): "closed" | "open" | "half-open" {
    return this.#breaker.state;
  }

  /**
   * Whether a try may begin now. When the breaker forbids it, `onReady` is called as soon as it no longer
   * does.
   */
  mayBegin(): boolean {
    if (this.#underWay.length >= this.#options.maxInFlight) return false;
    if (this.#breaker.admits) return true;
    // In the half-open state, the end of the try under way decides: there is no timer to set.
    if (this.#breaker.waitMs > 0) {
      this.#cancelWait ??= this.#options.scheduler.after(this.#breaker.waitMs, () => {
        this.#cancelWait = undefined;
        this.#options.onReady();
      });
    }
    return false;
  }

  /**
   * Tries to send the batch. Call it only after mayBegin() returned true.
   *
   * @param onEnd Called synchronously when the sender is.
   */
  begin(batch: Batch<T>, onEnd: (end: TryEnd) => void): void {
    const { scheduler, timeoutMs, send, onTimeout } = this.#options;
    const ticket = this.#breaker.begin();
    this.#underWay.push(batch);
    const finish = (end: TryEnd): void => {
      this.#underWay.splice(this.#underWay.indexOf(batch), 1);
      if (ticket !== undefined) this.#breaker.end(ticket, end.ok);
      onEnd(end);
    };
    const end = attempt<TryEnd>(
      () =>
        chain(
          withDeadline(scheduler, timeoutMs, (call) => send(batch, call), onTimeout),
          (outcome) => ({ ok: true, outcome }),
        ),
      (error) => ({ ok: false, error }),
    );
    if (isPromise(end)) void end.then(finish);
    else finish(end);
  }

  /** Cancels the timer for `onReady`. Tries under way continue. */
  close(): void {
    this.#cancelWait?.();
  }
}
