// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../kernel/backoff.ts";
import type { Cancel, Random, Scheduler } from "../kernel/ports.ts";
import type { Batch } from "./batch.ts";
import { retryAfterMs } from "./next-step.ts";

export interface BacklogOptions {
  readonly random: Random;
  readonly scheduler: Scheduler;
  /**
   * Maximum pause before a failed batch is retried, unless the receiver asks for a longer one; in
   * milliseconds.
   */
  readonly maxPauseMs: number;
  /** Whether a failed batch blocks the batches behind it (head-of-line blocking), which keeps the order. */
  readonly inOrder: boolean;
  /** Number of items from which on the queue must wait even without `inOrder`. */
  readonly maxItems: number;
  /** Called when a pause is over. */
  readonly onReady: () => void;
}

/**
 * Batches taken from the queue that must be tried: failed batches, one at a time, after an exponential
 * backoff; and halves of batches that were too large, at once.
 */
export class Backlog<T> {
  readonly #options: BacklogOptions;
  readonly #failed: Batch<T>[] = [];
  readonly #halves: Batch<T>[] = [];
  #size = 0;
  /** The failed batch that is being retried. */
  #retrying: Batch<T> | undefined;
  /** Consecutive failures since endPause(). */
  #failures = 0;
  #cancelPause: Cancel | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** Number of items. */
  get size(): number {
    return this.#size;
  }

  /** Whether the items in the queue must wait for the backlog's batches. */
  get holdsUpQueue(): boolean {
    const { inOrder, maxItems } = this.#options;
    return (inOrder && this.#size > 0) || this.#size >= maxItems;
  }

  /** When the oldest item came, in monotonic milliseconds; infinite when there is none. */
  get oldestMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { sinceMs } of this.#failed) oldestMs = Math.min(oldestMs, sinceMs);
    for (const { sinceMs } of this.#halves) oldestMs = Math.min(oldestMs, sinceMs);
    return oldestMs;
  }

  /** Whether next() has a batch. */
  get ready(): boolean {
    return this.#mayRetry || this.#maySendHalf;
  }

  next(): Batch<T> | undefined {
    if (this.#mayRetry) {
      this.#retrying = this.#failed.shift();
      return this.#taken(this.#retrying);
    }
    return this.#maySendHalf ? this.#taken(this.#halves.shift()) : undefined;
  }

  addHalves(batch: Batch<T>): void {
    this.#halves.unshift(...batch.halves());
    this.#size += batch.items.length;
  }

  /** Appends a failed batch, and begins a pause unless one is under way. */
  addFailed(batch: Batch<T>, error: unknown): void {
    const { random, scheduler, maxPauseMs, onReady } = this.#options;
    this.#failed.push(batch);
    this.#size += batch.items.length;
    this.#failures++;
    const pauseMs = Math.max(backoffMs(this.#failures, random, { maxMs: maxPauseMs }), retryAfterMs(error));
    this.#cancelPause ??= scheduler.after(pauseMs, () => {
      this.#cancelPause = undefined;
      onReady();
    });
  }

  /** The try of a batch has ended: the next failed batch may be tried. */
  tried(batch: Batch<T>): void {
    if (batch === this.#retrying) this.#retrying = undefined;
  }

  /** Ends the pause, because the receiver answers again, or no time is left to wait. */
  endPause(): void {
    this.#failures = 0;
    this.#cancelPause?.();
    this.#cancelPause = undefined;
  }

  /** Removes and returns the oldest batch, failed batches first. */
  takeOldest(): Batch<T> | undefined {
    return this.#taken(this.#failed.shift() ?? this.#halves.shift());
  }

  /**
   * Ends the pause.
   *
   * @returns The remaining batches.
   */
  close(): readonly Batch<T>[] {
    this.endPause();
    this.#size = 0;
    return [...this.#failed.splice(0), ...this.#halves.splice(0)];
  }

  get #mayRetry(): boolean {
    return this.#failed.length > 0 && this.#retrying === undefined && this.#cancelPause === undefined;
  }

  /** With `inOrder`, a half waits for the failed batch, which is the half before it. */
  get #maySendHalf(): boolean {
    return this.#halves.length > 0 && !(this.#options.inOrder && this.#failed.length > 0);
  }

  #taken(batch: Batch<T> | undefined): Batch<T> | undefined {
    this.#size -= batch?.items.length ?? 0;
    return batch;
  }
}
