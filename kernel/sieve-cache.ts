// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

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
  readonly #entries = new Map<string, E>();
  readonly #maxEntries: number;
  readonly #maxSize: number;
  readonly #onEvict: ((entry: E) => void) | undefined;
  #size = 0;
  /** An iterator of a Map goes on to entries that are added, and passes over those that are deleted. */
  #hand: IterableIterator<E>;

  constructor({ maxEntries, maxSize = Number.POSITIVE_INFINITY, onEvict }: SieveCacheOptions<E>) {
    this.#maxEntries = maxEntries;
    this.#maxSize = maxSize;
    this.#onEvict = onEvict;
    this.#hand = this.#entries.values();
  }

  /** Number of entries. */
  get size(): number {
    return this.#entries.size;
  }

  get(key: string): E | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.used = true;
    return entry;
  }

  /** The entry, without counting as its use. */
  peek(key: string): E | undefined {
    return this.#entries.get(key);
  }

  /** Adds an entry, in place of one with the same key. */
  set(entry: E): void {
    const known = this.#entries.get(entry.key);
    if (known !== undefined) this.delete(known);
    if (entry.size > this.#maxSize) {
      entry.dropped = true;
      return;
    }
    while (this.#entries.size >= this.#maxEntries || this.#size + entry.size > this.#maxSize) this.#evict();
    this.#entries.set(entry.key, entry);
    this.#size += entry.size;
  }

  delete(entry: E): void {
    if (entry.dropped) return;
    entry.dropped = true;
    this.#size -= entry.size;
    this.#entries.delete(entry.key);
  }

  clear(): void {
    for (const entry of this.#entries.values()) entry.dropped = true;
    this.#entries.clear();
    this.#size = 0;
  }

  values(): IterableIterator<E> {
    return this.#entries.values();
  }

  /** Evicts one of the entries, of which there is at least one. Ends in the second round at the latest. */
  #evict(): void {
    for (;;) {
      const { value, done } = this.#hand.next();
      if (done === true) {
        this.#hand = this.#entries.values();
      } else if (value.used) {
        value.used = false;
      } else {
        this.delete(value);
        this.#onEvict?.(value);
        return;
      }
    }
  }
}
