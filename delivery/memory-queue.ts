// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Batch } from "./batch.ts";
import type { BatchLimit, DeliveryQueue } from "./queue.ts";

/** A queue in this process's memory; its items are lost when the process ends. */
export class MemoryQueue<T> implements DeliveryQueue<T> {
  readonly durable = false;
  #items: T[] = [];
  /** Items before this index were taken. */
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  fills({ items }: BatchLimit): boolean {
    return this.size >= items;
  }

  put(item: T): void {
    this.#items.push(item);
  }

  take({ items }: BatchLimit): Batch<T> | undefined {
    const taken = this.#items.slice(this.#head, this.#head + items);
    if (taken.length === 0) return undefined;
    this.#head += taken.length;
    // Compact when half of the array was taken: amortized constant time per item.
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return new Batch(taken);
  }

  /** Nothing to do: taken items are not stored. */
  acknowledge(): void {}

  /** Nothing to release. */
  close(): void {}
}
