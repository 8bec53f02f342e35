// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Number of requests: in the log, and estimated in total when the log is a sample. */
export interface Count {
  readonly observed: number;
  readonly estimated: number;
}

export class Counter {
  #observed = 0;
  #estimated = 0;

  add(weight: number, observed = 1): void {
    this.#observed += observed;
    this.#estimated += weight;
  }

  get count(): Count {
    return { observed: this.#observed, estimated: Math.round(this.#estimated) };
  }
}

/**
 * Counters by name. New names beyond `max` are counted under `(others)`, so that a log cannot fill the
 * memory.
 */
export class CounterTable {
  readonly #counters = new Map<string, Counter>();
  readonly #max: number;

  constructor(max = 10_000) {
    this.#max = max;
  }

  add(name: string, weight: number): void {
    const known = this.#counters.get(name);
    if (known !== undefined) return known.add(weight);
    const kept = this.#counters.size < this.#max ? name : "(others)";
    const counter = this.#counters.get(kept) ?? new Counter();
    this.#counters.set(kept, counter);
    counter.add(weight);
  }

  get size(): number {
    return this.#counters.size;
  }

  /** Largest first. */
  top(limit = Number.POSITIVE_INFINITY): readonly ({ readonly name: string } & Count)[] {
    return [...this.#counters]
      .map(([name, counter]) => ({ name, ...counter.count }))
      .toSorted((a, b) => b.estimated - a.estimated || (a.name < b.name ? -1 : 1))
      .slice(0, limit);
  }
}
