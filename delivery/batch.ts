// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Items that are sent together. Every try has the same object, so that a sender can recognize a retry. */
export class Batch<T> {
  readonly items: readonly T[];
  /** The items' numbers in a durable queue; empty for other queues. */
  readonly sequences: readonly number[];
  /** When the oldest item came, in monotonic milliseconds. */
  readonly sinceMs: number;
  /** Number of tries so far, including the one under way. */
  attempts = 0;

  constructor(items: readonly T[], sinceMs: number, sequences: readonly number[] = []) {
    this.items = items;
    this.sequences = sequences;
    this.sinceMs = sinceMs;
  }

  /** The items of several new batches, which came in this order, as one batch. At least one batch. */
  static joined<T>(batches: readonly Batch<T>[]): Batch<T> {
    const [first] = batches as readonly [Batch<T>];
    if (batches.length === 1) return first;
    return new Batch(
      batches.flatMap(({ items }) => items),
      first.sinceMs,
      batches.flatMap(({ sequences }) => sequences),
    );
  }

  /** A new batch with the items at some indexes, after as many tries. */
  part(indexes: readonly number[]): Batch<T> {
    const part = new Batch(
      indexes.map((index) => this.items[index] as T),
      this.sinceMs,
      this.sequences.length === 0 ? [] : indexes.map((index) => this.sequences[index] as number),
    );
    part.attempts = this.attempts;
    return part;
  }

  /** Two new batches with the halves of the items. */
  halves(): readonly [Batch<T>, Batch<T>] {
    const { items, sequences, sinceMs } = this;
    const middle = Math.ceil(items.length / 2);
    return [
      new Batch(items.slice(0, middle), sinceMs, sequences.slice(0, middle)),
      new Batch(items.slice(middle), sinceMs, sequences.slice(middle)),
    ];
  }
}
