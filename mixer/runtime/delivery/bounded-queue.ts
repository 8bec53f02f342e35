// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** First in, first out, with room for `capacity` items: when it is full the oldest goes, because news is worth more. */
export class BoundedQueue<T> {
  readonly #capacity: number;
  readonly #items: (T | undefined)[];
  #head = 0;
  #length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#items = [];
  }

  get length(): number {
    return this.#length;
  }

  /** Whether nothing had to be dropped for it. */
  push(item: T): boolean {
    const full = this.#length === this.#capacity;
    if (full) this.#advance();
    this.#items[(this.#head + this.#length) % this.#capacity] = item;
    this.#length += 1;
    return !full;
  }

  /** Takes out the oldest `count`, or all there are when there are fewer. */
  take(count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count && this.#length > 0) {
      taken.push(this.#items[this.#head] as T);
      this.#advance();
    }
    return taken;
  }

  #advance(): void {
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#capacity;
    this.#length -= 1;
  }
}
