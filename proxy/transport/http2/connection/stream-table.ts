// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const MIN_SLOTS = 16;

/**
 * The streams of a connection by their ids: open addressing, with the next free slot after an occupied one (linear
 * probing). A peer's ids follow each other, so that most streams are in the first slot that is looked at. It is no Map, for
 * the reason that LinkedList gives.
 */
export class StreamTable<T extends { readonly id: number }> implements Iterable<T> {
  /** A power of two, of which at most half are occupied. */
  #slots: (T | undefined)[] = emptySlots(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    const slots = this.#slots;
    let at = this.#home(id);
    for (;;) {
      const stream = slots[at];
      if (stream === undefined || stream.id === id) return stream;
      at = this.#after(at);
    }
  }

  /** The table must have no stream with this id. */
  add(stream: T): void {
    if (2 * (this.#size + 1) > this.#slots.length) this.#grow();
    this.#size++;
    this.#put(stream);
  }

  /** Does nothing for an id that is not in the table. */
  delete(id: number): void {
    const slots = this.#slots;
    let free = this.#home(id);
    while (slots[free]?.id !== id) {
      if (slots[free] === undefined) return;
      free = this.#after(free);
    }
    this.#size--;
    // A stream behind the free slot moves into it, unless its way does not pass by (Knuth, volume 3, section 6.4, algorithm R).
    for (let at = this.#after(free); ; at = this.#after(at)) {
      const stream = slots[at];
      if (stream === undefined) break;
      if (this.#distance(this.#home(stream.id), at) < this.#distance(free, at)) continue;
      slots[free] = stream;
      free = at;
    }
    slots[free] = undefined;
  }

  /** The streams that are in the table now, by their ids; those that are removed before their turn are left out. */
  *[Symbol.iterator](): IterableIterator<T> {
    const streams = this.#slots.filter((stream) => stream !== undefined);
    for (const stream of streams.sort((a, b) => a.id - b.id))
      if (this.get(stream.id) === stream) yield stream;
  }

  #put(stream: T): void {
    let at = this.#home(stream.id);
    while (this.#slots[at] !== undefined) at = this.#after(at);
    this.#slots[at] = stream;
  }

  #grow(): void {
    const streams = this.#slots;
    this.#slots = emptySlots(2 * streams.length);
    for (const stream of streams) if (stream !== undefined) this.#put(stream);
  }

  /** All ids of one side are odd, or all are even. */
  #home(id: number): number {
    return (id >>> 1) & (this.#slots.length - 1);
  }

  #after(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  /** Number of slots from one to another, forwards. */
  #distance(from: number, to: number): number {
    return (to - from) & (this.#slots.length - 1);
  }
}

function emptySlots<T>(count: number): (T | undefined)[] {
  return Array.from({ length: count }, () => undefined);
}
