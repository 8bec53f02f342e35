// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DeliverySettings } from "../core/snapshot/snapshot.ts";
import type { PurserError } from "../kernel/errors.ts";
import type { Clock, Random, Scheduler } from "../kernel/ports.ts";
import { Attempts, type Failure } from "./attempts.ts";
import { Backlog } from "./backlog.ts";
import { Batch } from "./batch.ts";
import type { DeliveryEvents, DropReason } from "./events.ts";
import { Flushes } from "./flushes.ts";
import { Linger } from "./linger.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { nextStep } from "./next-step.ts";
import type { DeliveryQueue } from "./queue.ts";
import type { Sender } from "./sender.ts";

export interface DeliveryOptions<T> {
  /** Batch size, linger, capacity, attempts of a batch, deadline of a try. */
  readonly settings: DeliverySettings;
  readonly send: Sender<T>;
  /** The error of a try that is later than its deadline. */
  readonly onTimeout: () => PurserError;
  readonly events: Partial<DeliveryEvents<T>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Default: this process's memory. */
  readonly queue?: DeliveryQueue<T>;
  /** Batches under way at once; default 1. More than one may arrive in another order. */
  readonly maxInFlight?: number;
  /** Whether a failed batch holds up those behind it, so that they arrive in order; default true. */
  readonly inOrder?: boolean;
  /** The longest pause before a failed batch is tried again, in milliseconds; default 10,000. */
  readonly maxPauseMs?: number;
  /** After so many failures in a row the receiver is left alone for up to `openMs`; default: never. */
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

/** A breaker that never opens. */
const NO_BREAKER = { failures: Number.POSITIVE_INFINITY, openMs: 0 };

/**
 * Brings items to one receiver in batches, and never in a request's way. An item goes from the queue into a batch, which
 * is tried with a deadline and behind a breaker, and kept in the backlog between its tries.
 *
 * Delivery class: best effort within `attempts`. A batch is tried until it is taken, refused for good, or out of
 * attempts; then it is dropped. A try whose answer was lost is repeated, so a receiver may see a batch twice. Beyond
 * `queueSize` waiting items the oldest are dropped, because news is worth more. Every item is delivered, or told as dropped.
 */
export class Delivery<T> {
  readonly #settings: DeliverySettings;
  readonly #events: Partial<DeliveryEvents<T>>;
  readonly #queue: DeliveryQueue<T>;
  readonly #linger: Linger;
  readonly #attempts: Attempts<T>;
  readonly #backlog: Backlog<T>;
  readonly #flushes: Flushes;
  #dropped = 0;
  #pumping = false;
  #closed = false;

  constructor(options: DeliveryOptions<T>) {
    const { settings, events, queue, inOrder = true, maxPauseMs = 10_000, ...sending } = options;
    const { clock, random, scheduler, send, onTimeout, maxInFlight = 1, breaker = NO_BREAKER } = sending;
    const { lingerMs, timeoutMs } = settings;
    const ports = { clock, random, scheduler, onReady: (): void => this.#pump() };
    this.#settings = settings;
    this.#events = events;
    this.#queue = queue ?? new MemoryQueue();
    this.#linger = new Linger(scheduler, lingerMs, ports.onReady);
    this.#attempts = new Attempts({ ...ports, send, timeoutMs, onTimeout, maxInFlight, breaker });
    this.#backlog = new Backlog({ ...ports, maxPauseMs, inOrder });
    this.#flushes = new Flushes(scheduler);
  }

  /** Items waiting or under way. */
  get depth(): number {
    let underWay = 0;
    for (const { items } of this.#attempts.underWay) underWay += items.length;
    return this.#queue.size + this.#backlog.size + underWay;
  }

  /** Items that were dropped so far, for whatever reason. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the receiver is being left alone after failing again and again. */
  get broken(): boolean {
    return this.#attempts.broken;
  }

  /** Never waits, never throws. A batch that becomes full is on its way when this returns. */
  offer(item: T): void {
    if (this.#closed) return this.#drop(new Batch([item]), "closed");
    this.#queue.put(item);
    this.#pump();
  }

  /** Sends without lingering; resolves when nothing waits, when the deadline has passed, or when the delivery is closed. */
  flush(deadlineMs: number): Promise<void> {
    if (this.#closed || this.depth === 0) return Promise.resolve();
    const flushed = this.#flushes.wait(deadlineMs);
    this.#pump();
    return flushed;
  }

  /** Flushes within the deadline and drops the rest. A later call with an earlier deadline closes at that one. */
  async close(deadlineMs: number): Promise<void> {
    // There is no time left for the pause before the next try.
    this.#backlog.endPause();
    await this.flush(deadlineMs);
    if (!this.#closed) this.#end();
  }

  /** Sends the batches that are due, as many as may be under way. */
  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    while (this.#hasBatch() && this.#attempts.mayBegin()) {
      const batch = this.#nextBatch();
      if (batch !== undefined) this.#try(batch);
    }
    this.#pumping = false;
    this.#dropOverflow();
    if (this.#queue.size === 0) this.#linger.reset();
    else if (!this.#queueDue()) this.#linger.start();
    if (this.#flushes.pending && this.depth === 0) this.#flushes.end();
  }

  #hasBatch(): boolean {
    return this.#backlog.ready || (!this.#backlog.holdsUpQueue && this.#queueDue());
  }

  #nextBatch(): Batch<T> | undefined {
    if (this.#backlog.ready) return this.#backlog.next();
    this.#linger.reset();
    return this.#queue.take({ items: this.#settings.batchSize });
  }

  /** Whether the items in the queue are to be sent: a batch is full, has waited long enough, or is being flushed. */
  #queueDue(): boolean {
    if (this.#queue.fills({ items: this.#settings.batchSize })) return true;
    return this.#queue.size > 0 && (this.#linger.over || this.#flushes.pending);
  }

  #try(batch: Batch<T>): void {
    batch.attempts++;
    this.#events.sending?.(batch);
    this.#attempts.begin(batch, (failure) => {
      this.#backlog.tried(batch);
      if (failure === undefined) this.#delivered(batch);
      else this.#failed(batch, failure);
      this.#pump();
    });
  }

  #delivered(batch: Batch<T>): void {
    this.#backlog.endPause();
    this.#queue.acknowledge(batch.items);
    this.#events.delivered?.(batch);
  }

  #failed(batch: Batch<T>, { error }: Failure): void {
    this.#events.failed?.(batch, error);
    const step = nextStep(error, batch, this.#settings.attempts);
    if (step === "drop") {
      this.#backlog.endPause();
      this.#drop(batch, "failed", error);
    } else if (this.#closed) this.#leave(batch, error);
    else if (step === "halve") this.#backlog.addHalves(batch);
    else this.#backlog.addFailed(batch, error);
  }

  #dropOverflow(): void {
    while (this.#excess > 0) {
      const oldest = this.#backlog.takeOldest() ?? this.#queue.take({ items: this.#excess });
      if (oldest !== undefined) this.#drop(oldest, "overflow");
    }
  }

  /** Items that wait beyond `queueSize`. A batch that is still filling up pushes out none that waits for its retry. */
  get #excess(): number {
    const { batchSize, queueSize } = this.#settings;
    const filling = this.#backlog.size > 0 ? this.#queue.size % batchSize : 0;
    return this.#backlog.size + this.#queue.size - filling - queueSize;
  }

  #drop(batch: Batch<T>, reason: DropReason, error?: unknown): void {
    this.#dropped += batch.items.length;
    this.#queue.acknowledge(batch.items);
    this.#events.dropped?.(batch, reason, error);
  }

  /** The end came before the batch was delivered: it is lost, unless the queue gives it again after a restart. */
  #leave(batch: Batch<T>, error?: unknown): void {
    if (!this.#queue.durable) this.#drop(batch, "closed", error);
  }

  #end(): void {
    this.#closed = true;
    this.#linger.reset();
    this.#attempts.close();
    for (const batch of this.#backlog.close()) this.#leave(batch);
    const waiting = this.#queue.durable ? undefined : this.#queue.take({ items: this.#queue.size });
    if (waiting !== undefined) this.#leave(waiting);
    this.#queue.close();
    for (const batch of this.#attempts.underWay) this.#events.abandoned?.(batch);
    this.#events.closed?.();
    this.#flushes.end();
  }
}
