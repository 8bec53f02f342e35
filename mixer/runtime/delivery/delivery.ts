// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../../../core/hooks/extension.ts";
import { backoffMs } from "../../../kernel/backoff.ts";
import { CircuitBreaker, type Ticket } from "../../../kernel/circuit-breaker.ts";
import { isPurserError, messageOf, type PurserError } from "../../../kernel/errors.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Cancel, Clock, Logger, Random, Scheduler } from "../../../kernel/ports.ts";
import type { DeliverySettings } from "../../../core/snapshot/snapshot.ts";
import { withDeadline } from "../handlers/deadline.ts";
import { BoundedQueue } from "./bounded-queue.ts";

/** Failures in a row after which a backend is left alone. */
export const BREAKER_FAILURES = 5;
/** How long it is left alone at most, before one call tries again. */
export const BREAKER_OPEN_MS = 5_000;

export interface DeliveryOptions<T> {
  readonly settings: DeliverySettings;
  /** Hands one batch over. A retryable PurserError has the same batch tried again. */
  readonly send: (batch: readonly T[], call: CallContext) => MaybePromise<void>;
  readonly onTimeout: () => PurserError;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly observer: DeliveryObserver;
}

export interface DeliveryObserver {
  /** `count` instances will never arrive: the queue was full, the backend refused them, or the time was up. */
  dropped(count: number, reason: DropReason): void;
  retried(): void;
}

export type DropReason = "overflow" | "failed" | "closed";

/**
 * Brings instances to one handler in batches, in order, one batch under way at a time, and never in a request's way.
 *
 * Delivery class: best effort within `attempts`. A batch is tried until it is taken, refused for good, or out of
 * attempts; then it is dropped and counted. A try whose answer was lost is repeated, so a backend may see a batch twice.
 */
export class Delivery<T> {
  readonly #options: DeliveryOptions<T>;
  readonly #queue: BoundedQueue<T>;
  readonly #breaker: CircuitBreaker;
  #running: Promise<void> | undefined;
  #cancelLinger: Cancel | undefined;
  #wakeSleeper: (() => void) | undefined;
  #inFlight = 0;
  #dropped = 0;
  /** What waits for a flush: called when nothing is left, or when the delivery is closed. */
  readonly #flushes = new Set<() => void>();
  #closed = false;

  constructor(options: DeliveryOptions<T>) {
    this.#options = options;
    this.#queue = new BoundedQueue(options.settings.queueSize);
    const { clock, random } = options;
    const limits = { failures: BREAKER_FAILURES, openMs: BREAKER_OPEN_MS };
    this.#breaker = new CircuitBreaker({ clock, random, ...limits });
  }

  /** Instances waiting or under way. */
  get depth(): number {
    return this.#queue.length + this.#inFlight;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the backend is being left alone after failing again and again. */
  get broken(): boolean {
    return this.#breaker.state !== "closed";
  }

  /** Never waits, never throws. */
  offer(item: T): void {
    if (this.#closed) return this.#drop(1, "closed");
    if (!this.#queue.push(item)) this.#drop(1, "overflow");
    this.#schedule();
  }

  /** Sends without lingering; resolves when nothing waits, when the deadline has passed, or when the delivery is closed. */
  flush(deadlineMs: number): Promise<void> {
    if (this.#closed || this.depth === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#flushes.delete(end);
        resolve();
      };
      const cancel = this.#options.scheduler.after(deadlineMs, end);
      this.#flushes.add(end);
      this.#schedule();
    });
  }

  /** Flushes within the deadline and drops the rest. A later call with an earlier deadline closes at that one. */
  async close(deadlineMs: number): Promise<void> {
    const flushed = this.flush(deadlineMs);
    // There is no time left for the pause before the next try.
    this.#wakeSleeper?.();
    await flushed;
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.depth > 0)
      this.#options.logger.warn("telemetry was not delivered before the handler was closed", {
        waiting: this.#queue.length,
        underWay: this.#inFlight,
      });
    const left = this.#queue.take(this.#queue.length).length;
    if (left > 0) this.#drop(left, "closed");
    this.#wakeSleeper?.();
    this.#endFlushes();
  }

  #schedule(): void {
    if (this.#running !== undefined || this.#queue.length === 0) return;
    if (this.#flushes.size > 0 || this.#queue.length >= this.#options.settings.batchSize) return this.#run();
    this.#cancelLinger ??= this.#options.scheduler.after(this.#options.settings.lingerMs, () => this.#run());
  }

  #run(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    this.#running ??= this.#sendBatches().finally(() => {
      this.#running = undefined;
      this.#schedule();
      if (this.#running === undefined && this.#queue.length === 0) this.#endFlushes();
    });
  }

  async #sendBatches(): Promise<void> {
    const { batchSize } = this.#options.settings;
    do {
      const batch = this.#queue.take(batchSize);
      this.#inFlight = batch.length;
      await this.#deliver(batch);
      this.#inFlight = 0;
    } while (this.#queue.length >= batchSize || (this.#flushes.size > 0 && this.#queue.length > 0));
  }

  async #deliver(batch: readonly T[]): Promise<void> {
    const { settings, random, observer, logger } = this.#options;
    for (let attempt = 1; ; attempt++) {
      // Awaited only when there is something to wait for: a full batch is on its way when offer() returns.
      const ticket = this.#begin() ?? (await this.#admission());
      if (ticket === undefined) return this.#drop(batch.length, "closed");
      const failure = await this.#try(batch, ticket);
      if (failure === undefined) return;
      if (!failure.retryable || attempt >= settings.attempts) {
        logger.warn("telemetry was dropped: the handler did not take it", {
          instances: batch.length,
          attempts: attempt,
          error: messageOf(failure.error),
        });
        return this.#drop(batch.length, "failed");
      }
      observer.retried();
      await this.#sleep(backoffMs(attempt, random));
    }
  }

  /** Undefined when there must be no call now: the breaker is open, or the delivery closed. */
  #begin(): Ticket | undefined {
    return this.#closed ? undefined : this.#breaker.begin();
  }

  /** Waits until there may be a call; undefined when the delivery was closed first. */
  async #admission(): Promise<Ticket | undefined> {
    let ticket: Ticket | undefined;
    while (ticket === undefined && !this.#closed) {
      await this.#sleep(this.#breaker.waitMs);
      ticket = this.#begin();
    }
    return ticket;
  }

  /** What went wrong, or undefined. */
  async #try(
    batch: readonly T[],
    ticket: Ticket,
  ): Promise<{ readonly error: unknown; readonly retryable: boolean } | undefined> {
    const { scheduler, settings, send, onTimeout } = this.#options;
    try {
      await withDeadline(scheduler, settings.timeoutMs, (call) => send(batch, call), onTimeout);
      this.#breaker.end(ticket, true);
      return undefined;
    } catch (error) {
      this.#breaker.end(ticket, false);
      return { error, retryable: isPurserError(error) && error.retryable };
    }
  }

  /** Ends early when the delivery is closed. */
  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#closed) return resolve();
      const cancel = this.#options.scheduler.after(delayMs, resolve);
      this.#wakeSleeper = () => {
        cancel();
        resolve();
      };
    });
  }

  #endFlushes(): void {
    for (const end of this.#flushes) end();
  }

  #drop(count: number, reason: DropReason): void {
    this.#dropped += count;
    this.#options.observer.dropped(count, reason);
  }
}
