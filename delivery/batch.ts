// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Items that are handed over together. It is the same object for every try, so that a sender can know it again. */
export class Batch<T> {
  readonly items: readonly T[];
  /** Tries that began, the one under way included. */
  attempts = 0;

  constructor(items: readonly T[]) {
    this.items = items;
  }

  /** Two batches that were never tried, with this one's items. */
  halves(): readonly [Batch<T>, Batch<T>] {
    const middle = Math.ceil(this.items.length / 2);
    return [new Batch(this.items.slice(0, middle)), new Batch(this.items.slice(middle))];
  }
}
