// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** One key of a sketch. Its true amount is at least `amount - over` and at most `amount`. */
export interface HeavyHitter {
  readonly key: string;
  readonly amount: number;
  /** Largest possible overestimation of `amount`; at most the sketch's total / capacity. */
  readonly over: number;
}

/**
 * The keys with the largest amounts of a stream, in bounded memory: the algorithm SpaceSaving of Metwally, Agrawal and El
 * Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams" (ICDT 2005), with weights. A new key takes the
 * place of the key with the smallest amount m, and begins at m: so m is its overestimation.
 *
 * Guarantees: no key's amount is underestimated; the overestimation of a key is `over`, at most total / capacity, because the
 * amounts of all places add up to the total and m is the smallest of them; each key whose true amount is above total / capacity
 * has a place.
 */
export class SpaceSaving {
  readonly #capacity: number;
  readonly #places = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly #amounts: number[] = [];
  readonly #overs: number[] = [];
  #total = 0;
  /** The smallest amount when it was last looked for, and places that had it then. */
  #least = 0;
  readonly #smallest: number[] = [];

  /** @param capacity Number of keys that are kept, 1 or more. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The sum of all amounts added. */
  get total(): number {
    return this.#total;
  }

  /** @param amount Above 0. */
  add(key: string, amount: number): void {
    this.#total += amount;
    const place = this.#places.get(key);
    if (place !== undefined) this.#amounts[place] = (this.#amounts[place] as number) + amount;
    else if (this.#keys.length < this.#capacity) this.#put(this.#keys.length, key, amount, 0);
    else this.#replaceSmallest(key, amount);
  }

  /** The keys with the largest amounts, largest first. */
  top(count: number): readonly HeavyHitter[] {
    const entries = this.#keys.map((key, place) => ({
      key,
      amount: this.#amounts[place] as number,
      over: this.#overs[place] as number,
    }));
    return entries.sort((a, b) => b.amount - a.amount).slice(0, count);
  }

  #replaceSmallest(key: string, amount: number): void {
    const place = this.#takeSmallest();
    const least = this.#amounts[place] as number;
    this.#places.delete(this.#keys[place] as string);
    this.#put(place, key, least + amount, least);
  }

  /** A place with the smallest amount. */
  #takeSmallest(): number {
    for (;;) {
      const place = this.#smallest.pop();
      if (place === undefined) this.#findSmallest();
      else if (this.#amounts[place] === this.#least) return place;
    }
  }

  /** Amounts only grow: until each of these places has been taken or has grown, no other place has less. */
  #findSmallest(): void {
    this.#least = Math.min(...this.#amounts);
    for (let place = 0; place < this.#amounts.length; place++)
      if (this.#amounts[place] === this.#least) this.#smallest.push(place);
  }

  #put(place: number, key: string, amount: number, over: number): void {
    this.#places.set(key, place);
    this.#keys[place] = key;
    this.#amounts[place] = amount;
    this.#overs[place] = over;
  }
}
