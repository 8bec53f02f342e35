// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";

export interface Batch {
  /** The same for every try, so that the mixer takes the batch once. */
  readonly id: string;
  readonly bags: readonly AttributeBag[];
  /** Whether it was sent and not taken, as far as is known. */
  readonly failed: boolean;
  /** Whether the mixer may have taken it although no answer came. */
  readonly doubtful: boolean;
}

/** Batches that are to be sent: those that failed before apart from the others, so that they hold up nothing. */
export class ReportQueue {
  #fresh: Batch[] = [];
  #failed: Batch[] = [];
  #bags = 0;

  get length(): number {
    return this.#fresh.length + this.#failed.length;
  }

  /** A failed one waits behind the other failed ones, a fresh one behind the fresh ones. */
  add(batch: Batch): void {
    (batch.failed ? this.#failed : this.#fresh).push(batch);
    this.#bags += batch.bags.length;
  }

  /** Before all fresh ones. */
  addFirst(batches: readonly Batch[]): void {
    this.#fresh.unshift(...batches);
    for (const { bags } of batches) this.#bags += bags.length;
  }

  takeFresh(): Batch | undefined {
    return this.#taken(this.#fresh.shift());
  }

  takeFailed(): Batch | undefined {
    return this.#taken(this.#failed.shift());
  }

  /** Takes out the oldest batches, those that failed first, until no more than `maxBags` bags wait. */
  trim(maxBags: number): readonly Batch[] {
    const removed: Batch[] = [];
    while (this.#bags > maxBags) {
      const batch = this.takeFailed() ?? this.takeFresh();
      if (batch === undefined) break;
      removed.push(batch);
    }
    return removed;
  }

  #taken(batch: Batch | undefined): Batch | undefined {
    if (batch !== undefined) this.#bags -= batch.bags.length;
    return batch;
  }
}
