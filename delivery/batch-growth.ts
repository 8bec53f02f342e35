// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError } from "../kernel/errors.ts";
import { Batch } from "./batch.ts";
import type { BatchLimit, DeliveryQueue } from "./queue.ts";

export interface BatchGrowthOptions<T> {
  /** Maximum number of items of a batch while more wait. */
  readonly maxItems: number;
  /** Size at which a batch takes no further items, in bytes. */
  readonly maxBytes: number;
  /** Size of an item in bytes. */
  readonly sizeOf: (item: T) => number;
}

/** One item of so many is measured: the bound on bytes need not be exact, and measuring costs as much as sending. */
const MEASURED_SHARE = 8;

/**
 * The size of batches while items wait. A receiver that takes one small batch after the other may not keep up, although most of a
 * call's time is the way there and back: batches then double, as long as calls take a quarter of their timeout at most, and shrink
 * when calls take more than half of it, time out, or are refused as too large.
 */
export class BatchGrowth<T> {
  readonly #options: BatchGrowthOptions<T>;
  readonly #batchSize: number;
  readonly #timeoutMs: number;
  /** Maximum number of items of the next batch. */
  #items: number;
  /** Maximum of `#items`: the receiver refused more than this as too large. */
  #ceiling: number;

  /** @param batchSize Number of items to which a batch may always grow. */
  constructor(options: BatchGrowthOptions<T>, batchSize: number, timeoutMs: number) {
    this.#options = options;
    this.#batchSize = batchSize;
    this.#timeoutMs = timeoutMs;
    this.#items = batchSize;
    this.#ceiling = Math.max(batchSize, options.maxItems);
  }

  /** Takes a batch from the queue: as the limit says, and more when more items wait. */
  take(queue: DeliveryQueue<T>, limit: BatchLimit): Batch<T> | undefined {
    // A queue with a limit of bytes has measured its items.
    if (limit.bytes !== undefined) return queue.take({ ...limit, items: this.#items });
    const first = queue.take(limit);
    if (first === undefined || queue.size === 0) return first;
    const { maxBytes } = this.#options;
    const parts = [first];
    let items = first.items.length;
    let bytes = this.#bytesOf(first);
    while (items < this.#items && bytes < maxBytes) {
      const part = queue.take({ items: Math.min(limit.items, this.#items - items) });
      if (part === undefined) break;
      parts.push(part);
      items += part.items.length;
      bytes += this.#bytesOf(part);
    }
    return Batch.joined(parts);
  }

  /** The receiver has answered a call with so many items. */
  answered(items: number, tookMs: number): void {
    if (tookMs > this.#timeoutMs / 2) this.#shrinkTo(items / 2);
    else if (items >= this.#items && tookMs <= this.#timeoutMs / 4)
      this.#items = Math.min(this.#items * 2, this.#ceiling);
  }

  failed(items: number, error: unknown): void {
    if (!isPurserError(error) || items <= this.#batchSize) return;
    if (error.code === "PURSER_REQUEST_TOO_LARGE") {
      this.#ceiling = Math.max(this.#batchSize, Math.floor(items / 2));
      this.#shrinkTo(this.#ceiling);
    } else if (error.code === "PURSER_HANDLER_TIMEOUT") this.#shrinkTo(this.#batchSize);
  }

  #shrinkTo(items: number): void {
    this.#items = Math.max(this.#batchSize, Math.min(this.#items, Math.floor(items)));
  }

  #bytesOf({ items }: Batch<T>): number {
    let bytes = 0;
    for (let index = 0; index < items.length; index += MEASURED_SHARE)
      bytes += this.#options.sizeOf(items[index] as T);
    return bytes * MEASURED_SHARE;
  }
}
