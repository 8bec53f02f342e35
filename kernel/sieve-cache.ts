// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Linked, LinkedList, UNLISTED } from "./linked-list.ts";

/** The part of a cache's entries that the cache reads and writes. */
export interface SieveEntry {
  readonly key: string;
  /** Share of the cache's `maxSize` that the entry takes; 0 or more. */
  readonly size: number;
  /**
   * Whether the entry was used since the last sweep. A holder that uses the entry without `get` sets it
   * itself.
   */
  used: boolean;
  /** True once the entry has left the cache: a holder must look it up again. */
  dropped: boolean;
}

export interface SieveCacheOptions<E> {
  /** Maximum number of entries; 1 or more. */
  readonly maxEntries: number;
  /** Maximum sum of the entries' sizes; default no limit. An entry that is larger is not kept. */
  readonly maxSize?: number;
  /** Called for each entry that is evicted, but not for one that `delete` or `clear` removes. */
  readonly onEvict?: (entry: E) => void;
}

/**
 * A bounded cache that evicts by SIEVE (Zhang and others, NSDI 2024): a hand goes over the entries from the
 * oldest to the newest, spares those that were used since it last came by, and evicts the first that was not.
 * A hit only sets a flag, where a least-recently-used list moves the entry: so that a holder of an entry can
 * use it without a look-up, which takes 60 ns.
 */
export class SieveCache<E extends SieveEntry> {
  readonly #places = new Map<string, Place<E>>();
  /** The oldest entry first. */
  readonly #order = new LinkedList<Place<E>>();
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #onEvict: ((entry: E) => void) | undefined;
  #size = 0;
  /**
   * The entry that the hand comes to next; undefined for the oldest one. The hand is no iterator of the Map: while the cache is
   * not full, nothing would move it, and an iterator that stands still keeps every table that the Map has had since.
   */
  #hand: Place<E> | undefined = undefined;

  constructor({ maxEntries, maxSize = Number.POSITIVE_INFINITY, onEvict }: SieveCacheOptions<E>) {
    this.#maxEntries = maxEntries;
    this.#maxSize = maxSize;
    this.#onEvict = onEvict;
  }

  /** Number of entries. */
  get size(): number {
    return this.#places.size;
  }

  get(key: string): E | undefined {
    const entry = this.#places.get(key)?.entry;
    if (entry !== undefined) entry.used = true;
    return entry;
  }

  /** The entry, without counting as its use. */
  peek(key: string): E | undefined {
    return this.#places.get(key)?.entry;
  }

  /** Adds an entry, in place of one with the same key. */
  set(entry: E): void {
    const known = this.#places.get(entry.key);
    if (known !== undefined) this.delete(known.entry);
    if (entry.size > this.#maxSize) {
      entry.dropped = true;
      return;
    }
    while (this.#places.size >= this.#maxEntries || this.#size + entry.size > this.#maxSize) this.#evict();
    const place: Place<E> = { ...UNLISTED, entry };
    this.#places.set(entry.key, place);
    this.#order.pushLast(place);
    this.#size += entry.size;
  }

  delete(entry: E): void {
    if (entry.dropped) return;
    const place = this.#places.get(entry.key);
    if (place?.entry === entry) this.#remove(place);
  }

  clear(): void {
    for (const place of this.#order) this.#remove(place);
  }

  /** The oldest entry first. */
  *values(): IterableIterator<E> {
    for (const { entry } of this.#order) yield entry;
  }

  #remove(place: Place<E>): void {
    const { entry } = place;
    entry.dropped = true;
    this.#size -= entry.size;
    this.#places.delete(entry.key);
    // The hand goes on behind it: to the oldest entry, if it was the newest.
    if (this.#hand === place) this.#hand = place.next;
    this.#order.remove(place);
  }

  /** Evicts one of the entries, of which there is at least one. Ends in the second round at the latest. */
  #evict(): void {
    for (;;) {
      const place = this.#hand ?? this.#order.first;
      if (place === undefined) return;
      if (place.entry.used) {
        place.entry.used = false;
        this.#hand = place.next;
      } else {
        this.#remove(place);
        this.#onEvict?.(place.entry);
        return;
      }
    }
  }
}

/** An entry in the order of the cache. */
interface Place<E> extends Linked<Place<E>> {
  readonly entry: E;
}
