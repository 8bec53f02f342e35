// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../kernel/ports.ts";
import { Batch } from "./batch.ts";
import type { BatchLimit, DeliveryQueue } from "./queue.ts";

/** A queue in this process's memory; its items are lost when the process ends. Its delivery bounds it. */
export class MemoryQueue<T> implements DeliveryQueue<T> {
  readonly durable = false;
  readonly bounded = false;
  readonly #clock: Clock;
  readonly #sizeOf: ((item: T) => number) | undefined;
  #items: T[] = [];
  /** When each item came, in monotonic milliseconds. */
  #times: number[] = [];
  /** Size of each item; empty when items are not measured. */
  #sizes: number[] = [];
  /** Items before this index were taken. */
  #head = 0;
  #bytes = 0;

  /** @param sizeOf Size of an item in bytes; default: items are not measured. */
  constructor(clock: Clock, sizeOf?: (item: T) => number) {
    this.#clock = clock;
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldestMs(): number | undefined {
    return this.#times[this.#head];
  }

  /** Nothing happens here by itself. */
  listen(): void {}

  fills({ items, bytes = Number.POSITIVE_INFINITY }: BatchLimit): boolean {
    return this.size >= items || this.#bytes >= bytes;
  }

  put(item: T, nowMs = this.#clock.monotonicMs()): void {
    this.#items.push(item);
    this.#times.push(nowMs);
    if (this.#sizeOf === undefined) return;
    const bytes = this.#sizeOf(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  take(limit: BatchLimit): Batch<T> | undefined {
    const sinceMs = this.#times[this.#head];
    if (sinceMs === undefined) return undefined;
    const end = this.#endOf(limit);
    const items = this.#items.slice(this.#head, end);
    this.#head = end;
    // Compact when half of the array was taken: amortized constant time per item.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#times = this.#times.slice(this.#head);
      this.#sizes = this.#sizes.slice(this.#head);
      this.#head = 0;
    }
    return new Batch(items, sinceMs);
  }

  /** Nothing to do: taken items are not stored. */
  acknowledge(): void {}

  whenOpen(): undefined {
    return undefined;
  }

  whenDurable(): undefined {
    return undefined;
  }

  /** Nothing to release. */
  close(): void {}

  /** Index after the last item of a batch that begins at the head; takes its items' bytes off. */
  #endOf({ items, bytes = Number.POSITIVE_INFINITY }: BatchLimit): number {
    const most = Math.min(this.#head + items, this.#items.length);
    if (this.#sizeOf === undefined) return most;
    let taken = 0;
    let end = this.#head;
    do {
      taken += this.#sizes[end] ?? 0;
      end++;
    } while (end < most && taken + (this.#sizes[end] ?? 0) <= bytes);
    this.#bytes -= taken;
    return end;
  }
}
