// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import type { QuotaCharge } from "../../core/quota/quota-charge.ts";

/** Bounds on the memory of a search, 28 bytes a charge and each key's text, and on its time: a minute for 1,000,000 charges. */
export interface ChargeLogBounds {
  readonly maxCharges: number;
  readonly maxKeys: number;
}

export const DEFAULT_BOUNDS: ChargeLogBounds = { maxCharges: 1_000_000, maxKeys: 500_000 };

/** One recorded charge. */
export interface RecordedCharge {
  readonly cell: string;
  readonly amount: number;
  /** In milliseconds since the epoch. */
  readonly timeMs: number;
  /** Number of requests that the record represents. */
  readonly weight: number;
}

/** Room for the first charges; it doubles when it is full. */
const FIRST_SIZE = 1_024;

/** Charges of recorded requests, kept for repeated simulations. */
export class ChargeLog {
  readonly #bounds: ChargeLogBounds;
  readonly #keys: KeySet;
  readonly #cells: string[] = [];
  #times = new Float64Array(FIRST_SIZE);
  #amounts = new Float64Array(FIRST_SIZE);
  #weights = new Float64Array(FIRST_SIZE);
  #keyNumbers = new Uint32Array(FIRST_SIZE);
  #size = 0;
  #requests = 0;

  constructor(bounds: ChargeLogBounds) {
    this.#bounds = bounds;
    this.#keys = new KeySet(bounds.maxKeys);
  }

  get size(): number {
    return this.#size;
  }

  /** Number of different keys. */
  get keys(): number {
    return this.#cells.length;
  }

  /** @throws {PurserError} PURSER_SUGGEST_BOUND when a bound is reached. */
  add({ cell, amount }: Pick<QuotaCharge, "cell" | "amount">, timeMs: number, weight: number): void {
    const { maxCharges } = this.#bounds;
    if (this.#size === maxCharges)
      throw new PurserError(
        "PURSER_SUGGEST_BOUND",
        `the part of the log that limits are searched in has more than ${maxCharges} charges`,
      );
    if (this.#size === this.#times.length) this.#grow();
    const number = this.#keys.numberOf(cell);
    this.#cells[number] = cell;
    this.#times[this.#size] = timeMs;
    this.#amounts[this.#size] = amount;
    this.#weights[this.#size] = weight;
    this.#keyNumbers[this.#size] = number;
    this.#size++;
    this.#requests += weight;
  }

  /** Number of requests that the charges represent, rounded. */
  get requests(): number {
    return Math.round(this.#requests);
  }

  /** The charges in their order, of all keys or of some. */
  *charges(cells?: ReadonlySet<string>): Generator<RecordedCharge> {
    const wanted = cells === undefined ? undefined : this.#cells.map((cell) => cells.has(cell));
    for (let index = 0; index < this.#size; index++) {
      if (wanted?.[this.#keyNumbers[index] as number] === false) continue;
      yield {
        cell: this.#cells[this.#keyNumbers[index] as number] as string,
        amount: this.#amounts[index] as number,
        timeMs: this.#times[index] as number,
        weight: this.#weights[index] as number,
      };
    }
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const grown = <T extends Float64Array | Uint32Array>(array: T, larger: T): T => {
      larger.set(array);
      return larger;
    };
    this.#times = grown(this.#times, new Float64Array(size));
    this.#amounts = grown(this.#amounts, new Float64Array(size));
    this.#weights = grown(this.#weights, new Float64Array(size));
    this.#keyNumbers = grown(this.#keyNumbers, new Uint32Array(size));
  }
}

/** Numbers of keys, from 0, in the order of their first use. */
export class KeySet {
  readonly #numbers = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#numbers.size;
  }

  /** @throws {PurserError} PURSER_SUGGEST_BOUND when there are too many keys. */
  numberOf(cell: string): number {
    const known = this.#numbers.get(cell);
    if (known !== undefined) return known;
    if (this.#numbers.size === this.#max)
      throw new PurserError("PURSER_SUGGEST_BOUND", `the log has more than ${this.#max} different keys`);
    this.#numbers.set(cell, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}
