// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DeliverySettings } from "../core/snapshot/snapshot.ts";
import type { PurserError } from "../kernel/errors.ts";
import type { Clock, Random, Scheduler } from "../kernel/ports.ts";
import { Attempts } from "./attempts.ts";
import { Backlog } from "./backlog.ts";
import { Batch } from "./batch.ts";
import { BatchGrowth, type BatchGrowthOptions } from "./batch-growth.ts";
import type { DeliveryEvents, DropReason } from "./events.ts";
import { Flushes } from "./flushes.ts";
import type { DeliveryPort } from "./port.ts";
import { Linger } from "./linger.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { nextStep } from "./next-step.ts";
import type { BatchLimit, DeliveryQueue } from "./queue.ts";
import { DeliveryCounts, type DeliveryStats } from "./stats.ts";
import type { RefusedItem, Sender, SendOutcome } from "./sender.ts";

export interface DeliveryOptions<T> {
  /** Batch size, linger, capacity, attempts of a batch, timeout of a try. */
  readonly settings: DeliverySettings;
  readonly send: Sender<T>;
  /** Returns the error of a try that timed out. */
  readonly onTimeout: () => PurserError;
  readonly events: Partial<DeliveryEvents<T>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Default: a queue in memory. */
  readonly queue?: DeliveryQueue<T>;
  /** Lets batches grow beyond `batchSize` while more items wait; default: they do not. */
  readonly growth?: BatchGrowthOptions<T>;
  /** Maximum number of batches under way; default 1. With more, batches may arrive out of order. */
  readonly maxInFlight?: number;
  /** The items that a full queue in memory drops; default `oldest`, since recent telemetry is worth more. */
  readonly drop?: "oldest" | "newest";
  /** Whether a failed batch blocks the batches behind it, which keeps the order; default true. */
  readonly inOrder?: boolean;
  /** Maximum pause before a failed batch is retried, in milliseconds; default 10,000. */
  readonly maxPauseMs?: number;
  /** Circuit breaker: opens for up to `openMs` after this many consecutive failures; default: never. */
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

/** A circuit breaker that never opens. */
const NO_BREAKER = { failures: Number.POSITIVE_INFINITY, openMs: 0 };

/**
 * Delivers items to one receiver in batches, without ever delaying a request. An item goes from the queue
 * into a batch, which is tried with a timeout and behind a circuit breaker, and kept in the backlog between
 * tries.
 *
 * Best effort, at least once within `attempts`: a batch is tried until it is accepted, refused for good, or
 * out of attempts; then it is dropped. A try whose answer was lost is repeated, so a receiver may get a batch
 * twice. Beyond `queueSize` waiting items the queue's rule drops some. Every
 * item is either delivered or reported as dropped.
 */
export class Delivery<T> implements DeliveryPort<T> {
  readonly #settings: DeliverySettings;
  readonly #events: Partial<DeliveryEvents<T>>;
  readonly #queue: DeliveryQueue<T>;
  readonly #linger: Linger;
  readonly #attempts: Attempts<T>;
  readonly #backlog: Backlog<T>;
  readonly #flushes: Flushes;
  readonly #batchLimit: BatchLimit;
  readonly #growth: BatchGrowth<T> | undefined;
  readonly #clock: Clock;
  readonly #counts = new DeliveryCounts();
  readonly #dropsNewest: boolean;
  #pumping = false;
  #closed = false;
  #queueClosed: Promise<void> | undefined;

  constructor(options: DeliveryOptions<T>) {
    const {
      settings,
      events,
      queue,
      inOrder = true,
      maxPauseMs = 10_000,
      drop = "oldest",
      growth,
      ...sending
    } = options;
    const { clock, random, scheduler, send, onTimeout, maxInFlight = 1, breaker = NO_BREAKER } = sending;
    const { lingerMs, timeoutMs } = settings;
    const ports = { clock, random, scheduler, onReady: (): void => this.#pump() };
    this.#settings = settings;
    this.#dropsNewest = drop === "newest";
    this.#events = events;
    this.#clock = clock;
    this.#queue = queue ?? new MemoryQueue(clock);
    this.#linger = new Linger(scheduler, lingerMs, ports.onReady);
    this.#attempts = new Attempts({ ...ports, send, timeoutMs, onTimeout, maxInFlight, breaker });
    // Batches that failed wait in memory: no more of them than the queue could hold there.
    this.#backlog = new Backlog({
      ...ports,
      maxPauseMs,
      inOrder,
      maxItems: this.#queue.bounded ? settings.queueSize : Number.POSITIVE_INFINITY,
    });
    this.#flushes = new Flushes(scheduler);
    const { batchSize, batchBytes } = settings;
    this.#batchLimit = { items: batchSize, ...(batchBytes === undefined ? {} : { bytes: batchBytes }) };
    this.#growth = growth === undefined ? undefined : new BatchGrowth(growth, batchSize, timeoutMs);
    this.#queue.listen({
      dropped: (items, reason) => this.#lost(items, reason),
      ready: ports.onReady,
    });
  }

  /** Number of items waiting or under way. */
  get depth(): number {
    let underWay = 0;
    for (const { items } of this.#attempts.underWay) underWay += items.length;
    return this.#queue.size + this.#backlog.size + underWay;
  }

  /** Number of items dropped so far, for any reason. */
  get dropped(): number {
    return this.#counts.allDropped;
  }

  /** Number of items offered in this process. */
  get offered(): number {
    return this.#counts.accepted;
  }

  get stats(): DeliveryStats {
    const nowMs = this.#clock.monotonicMs();
    const totals = this.#queue.totals ?? this.#counts.totals;
    return {
      ...totals,
      retried: this.#counts.retried,
      waiting: this.depth,
      bytes: this.#queue.bytes,
      oldestMs: Math.max(0, nowMs - Math.min(nowMs, this.#oldestMs)),
      breaker: this.#attempts.state,
      lastError: this.#counts.lastError,
    };
  }

  get faulty(): boolean | undefined {
    return this.#queue.faulty;
  }

  /** Resolves when the queue takes items as it should: a durable one must first read its files. */
  whenOpen(): Promise<void> | undefined {
    return this.#queue.whenOpen();
  }

  /** Resolves when every item offered so far would survive the process; undefined when that is so, or cannot be had. */
  whenDurable(): Promise<void> | undefined {
    return this.#queue.whenDurable();
  }

  /** Whether the circuit breaker is open or half-open. */
  get broken(): boolean {
    return this.#attempts.state !== "closed";
  }

  /**
   * Never waits and never throws. Sends a batch that becomes full before it returns.
   *
   * @param nowMs The time in monotonic milliseconds, of a caller that has just read it.
   */
  offer(item: T, nowMs?: number): void {
    this.#counts.accepted++;
    if (this.#closed) return this.#drop(new Batch([item], this.#clock.monotonicMs()), "closed");
    if (this.#dropsNewest && this.#excess >= 0 && !this.#queue.bounded) return this.#lost(1, "overflow");
    this.#queue.put(item, nowMs);
    // Most items only join a batch that fills: nothing is due before its last item or its timer.
    if (!this.#linger.running || this.#queue.fills(this.#batchLimit) || this.#excess > 0) this.#pump();
  }

  /**
   * Sends without lingering. Resolves when no item is left, at the deadline, or when the delivery is closed.
   */
  flush(deadlineMs: number): Promise<void> {
    if (this.#closed || this.depth === 0) return Promise.resolve();
    const flushed = this.#flushes.wait(deadlineMs);
    this.#pump();
    return flushed;
  }

  /** Flushes within the deadline and drops the rest. A later call can shorten the deadline. */
  async close(deadlineMs: number): Promise<void> {
    // No time is left for the pause before the next try.
    this.#backlog.endPause();
    // A durable queue keeps its items: there is nothing to wait for while the receiver is away.
    const away = this.#queue.durable && (this.broken || this.#backlog.size > 0);
    await this.flush(away ? 0 : deadlineMs);
    if (!this.#closed) this.#end();
    await this.#queueClosed;
  }

  /** Sends the batches that are due, as many as may be under way. */
  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    while (this.#hasBatch() && this.#attempts.mayBegin()) {
      const batch = this.#nextBatch();
      // The queue is bringing items back from the disk, and says when they are there.
      if (batch === undefined) break;
      this.#try(batch);
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
    return this.#growth === undefined
      ? this.#queue.take(this.#batchLimit)
      : this.#growth.take(this.#queue, this.#batchLimit);
  }

  /** Whether queued items must be sent: a batch is full, has waited long enough, or is being flushed. */
  #queueDue(): boolean {
    if (this.#queue.fills(this.#batchLimit)) return true;
    return this.#queue.size > 0 && (this.#linger.over || this.#flushes.pending);
  }

  #try(batch: Batch<T>): void {
    batch.attempts++;
    if (batch.attempts > 1) this.#counts.retried++;
    this.#events.sending?.(batch);
    const startMs = this.#clock.monotonicMs();
    this.#attempts.begin(batch, (end) => {
      this.#backlog.tried(batch);
      if (end.ok) {
        this.#growth?.answered(batch.items.length, this.#clock.monotonicMs() - startMs);
        this.#answered(batch, end.outcome);
      } else {
        this.#growth?.failed(batch.items.length, end.error);
        this.#failed(batch, end.error);
      }
      this.#pump();
    });
  }

  #answered(batch: Batch<T>, outcome: SendOutcome): void {
    this.#backlog.endPause();
    const refused = refusedOf(batch, outcome);
    if (refused.length === 0) this.#delivered(batch);
    else this.#partlyDelivered(batch, refused);
  }

  #delivered(batch: Batch<T>): void {
    this.#queue.acknowledge(batch, "delivered");
    this.#counts.delivered += batch.items.length;
    this.#events.delivered?.(batch);
  }

  /** Each refused item goes its own way; those that may be retried stay together, in their order. */
  #partlyDelivered(batch: Batch<T>, refused: readonly RefusedItem[]): void {
    const errors = new Map(refused.map(({ index, error }) => [index, error]));
    const accepted: number[] = [];
    const again: number[] = [];
    let retryError: unknown;
    for (const index of batch.items.keys()) {
      if (!errors.has(index)) {
        accepted.push(index);
        continue;
      }
      const error = errors.get(index);
      const single = batch.part([index]);
      this.#noteFailure(single, error);
      if (nextStep(error, single, this.#settings) === "drop") this.#drop(single, "refused", error);
      else {
        again.push(index);
        retryError = error;
      }
    }
    if (accepted.length > 0) this.#delivered(batch.part(accepted));
    if (again.length === 0) return;
    const rest = batch.part(again);
    if (this.#closed) this.#leave(rest, retryError);
    else this.#backlog.addFailed(rest, retryError);
  }

  #failed(batch: Batch<T>, error: unknown): void {
    this.#noteFailure(batch, error);
    const step = nextStep(error, batch, this.#settings);
    if (step === "drop") {
      this.#backlog.endPause();
      this.#drop(batch, "failed", error);
    } else if (this.#closed) this.#leave(batch, error);
    else if (step === "halve") this.#backlog.addHalves(batch);
    else this.#backlog.addFailed(batch, error);
  }

  #noteFailure(batch: Batch<T>, error: unknown): void {
    this.#counts.failed(error, this.#clock.nowMs());
    this.#events.failed?.(batch, error);
  }

  #dropOverflow(): void {
    while (this.#excess > 0) {
      const oldest = this.#backlog.takeOldest() ?? this.#queue.take({ items: this.#excess });
      if (oldest === undefined) return;
      this.#drop(oldest, "overflow");
    }
  }

  /**
   * Number of waiting items beyond `queueSize`. An incomplete batch does not push out one that waits for its
   * retry.
   */
  get #excess(): number {
    if (this.#queue.bounded) return 0;
    const { batchSize, queueSize } = this.#settings;
    const filling = this.#backlog.size > 0 ? this.#queue.size % batchSize : 0;
    return this.#backlog.size + this.#queue.size - filling - queueSize;
  }

  #drop(batch: Batch<T>, reason: DropReason, error?: unknown): void {
    this.#queue.acknowledge(batch, reason);
    this.#lost(batch.items.length, reason, error, batch);
  }

  /** Counts dropped items; `batch` is absent when the queue itself dropped them. */
  #lost(items: number, reason: DropReason, error?: unknown, batch?: Batch<T>): void {
    this.#counts.drop(reason, items);
    this.#events.dropped?.(items, reason, error, batch);
  }

  /**
   * Gives up a batch at the close: it is dropped, unless the queue is durable and returns it after a restart.
   */
  #leave(batch: Batch<T>, error?: unknown): void {
    if (!this.#queue.durable) this.#drop(batch, "closed", error);
  }

  /** When the oldest item came, in monotonic milliseconds. */
  get #oldestMs(): number {
    let oldestMs = Math.min(this.#queue.oldestMs ?? Number.POSITIVE_INFINITY, this.#backlog.oldestMs);
    for (const { sinceMs } of this.#attempts.underWay) oldestMs = Math.min(oldestMs, sinceMs);
    return oldestMs;
  }

  #end(): void {
    this.#closed = true;
    this.#linger.reset();
    this.#attempts.close();
    for (const batch of this.#backlog.close()) this.#leave(batch);
    const waiting = this.#queue.durable ? undefined : this.#queue.take({ items: this.#queue.size });
    if (waiting !== undefined) this.#leave(waiting);
    this.#queueClosed = this.#queue.close() ?? undefined;
    for (const batch of this.#attempts.underWay) this.#events.abandoned?.(batch);
    this.#events.closed?.();
    this.#flushes.end();
  }
}

/** The refused items that exist; a receiver may answer with anything. */
function refusedOf<T>({ items }: Batch<T>, outcome: SendOutcome): readonly RefusedItem[] {
  if (typeof outcome !== "object" || !Array.isArray(outcome.refused)) return [];
  return outcome.refused.filter(({ index }) => Object.hasOwn(items, index));
}
