// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Items that are sent together. Every try has the same object, so that a sender can recognize a retry. */
export class Batch<T> {
  readonly items: readonly T[];
  /** Number of tries so far, including the one under way. */
  attempts = 0;

  constructor(items: readonly T[]) {
    this.items = items;
  }

  /** A new batch with some of the items, after as many tries. */
  part(items: readonly T[]): Batch<T> {
    const part = new Batch(items);
    part.attempts = this.attempts;
    return part;
  }

  /** Two new batches with the halves of the items. */
  halves(): readonly [Batch<T>, Batch<T>] {
    const middle = Math.ceil(this.items.length / 2);
    return [new Batch(this.items.slice(0, middle)), new Batch(this.items.slice(middle))];
  }
}
