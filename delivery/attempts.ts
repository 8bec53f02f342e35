// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { CircuitBreaker } from "../kernel/circuit-breaker.ts";
import { withDeadline } from "../kernel/deadline.ts";
import type { PurserError } from "../kernel/errors.ts";
import { attempt, chain, isPromise } from "../kernel/maybe-promise.ts";
import type { Cancel, Clock, Random, Scheduler } from "../kernel/ports.ts";
import type { Batch } from "./batch.ts";
import type { Sender } from "./sender.ts";

export interface AttemptsOptions<T> {
  readonly send: Sender<T>;
  /** The deadline of a try, in milliseconds. */
  readonly timeoutMs: number;
  /** The error of a try that is later than its deadline. */
  readonly onTimeout: () => PurserError;
  /** Tries under way at once. */
  readonly maxInFlight: number;
  /** After so many failures in a row the receiver is left alone for up to `openMs`. */
  readonly breaker: { readonly failures: number; readonly openMs: number };
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Is called when the receiver has been left alone for long enough. */
  readonly onReady: () => void;
}

/** Why a try failed. */
export interface Failure {
  readonly error: unknown;
}

/** Tries to send: each with a deadline, behind the circuit breaker, so many at once. */
export class Attempts<T> {
  readonly #options: AttemptsOptions<T>;
  readonly #breaker: CircuitBreaker;
  readonly #underWay = new Set<Batch<T>>();
  #cancelWait: Cancel | undefined;

  constructor(options: AttemptsOptions<T>) {
    const { clock, random, breaker } = options;
    this.#options = options;
    this.#breaker = new CircuitBreaker({ clock, random, ...breaker });
  }

  get underWay(): ReadonlySet<Batch<T>> {
    return this.#underWay;
  }

  /** Whether the receiver is being left alone after failing again and again. */
  get broken(): boolean {
    return this.#breaker.state !== "closed";
  }

  /** Whether a try may begin now. When the breaker forbids it, `onReady` is called as soon as it does not. */
  mayBegin(): boolean {
    if (this.#underWay.size >= this.#options.maxInFlight) return false;
    if (this.#breaker.admits) return true;
    // Half-open, the end of the try under way decides, and there is nothing to wait for.
    if (this.#breaker.waitMs > 0) {
      this.#cancelWait ??= this.#options.scheduler.after(this.#breaker.waitMs, () => {
        this.#cancelWait = undefined;
        this.#options.onReady();
      });
    }
    return false;
  }

  /**
   * Tries to send the batch; only after mayBegin().
   *
   * @param onEnd Is given what failed, or undefined; at once when the sender answers at once.
   */
  begin(batch: Batch<T>, onEnd: (failure: Failure | undefined) => void): void {
    const { scheduler, timeoutMs, send, onTimeout } = this.#options;
    const ticket = this.#breaker.begin();
    this.#underWay.add(batch);
    const end = (failure: Failure | undefined): void => {
      this.#underWay.delete(batch);
      if (ticket !== undefined) this.#breaker.end(ticket, failure === undefined);
      onEnd(failure);
    };
    const failure = attempt<Failure | undefined>(
      () =>
        chain(
          withDeadline(scheduler, timeoutMs, (call) => send(batch, call), onTimeout),
          () => undefined,
        ),
      (error) => ({ error }),
    );
    if (isPromise(failure)) void failure.then(end);
    else end(failure);
  }

  /** Ends the wait for the receiver. Tries under way go on. */
  close(): void {
    this.#cancelWait?.();
  }
}
