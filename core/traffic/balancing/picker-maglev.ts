// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Random } from "../../../kernel/ports.ts";
import { textHash } from "../../../kernel/text-hash.ts";
import { type Candidate, type Picker, randomHash } from "./picker.ts";

/** Largest table, a prime: building it takes some 10 ms, for any number of endpoints. */
export const MAX_MAGLEV_TABLE_SIZE = 131_071;

/** Whether a table may have this size: a prime, since otherwise building it might never end. */
export function isMaglevTableSize(size: number): boolean {
  if (!Number.isInteger(size) || size < 2 || size > MAX_MAGLEV_TABLE_SIZE) return false;
  for (let divisor = 2; divisor * divisor <= size; divisor++) if (size % divisor === 0) return false;
  return true;
}

/**
 * Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", 2016, section
 * 3.4), with Envoy's rule for weights. Shares are exact to one table entry for each endpoint; when an endpoint
 * comes or goes, slightly more than its share of requests moves. The table is built at the first pick.
 */
export function createMaglevPicker<C extends Pick<Candidate, "key">>(
  candidates: readonly C[],
  weights: readonly number[],
  tableSize: number,
  random: Random,
): Picker<C> {
  if (candidates.length < 2) return { pick: () => candidates[0] };
  let table: Uint32Array | undefined;
  return {
    pick(hash = randomHash(random), attempt = 0) {
      table ??= buildMaglevTable(candidates, weights, tableSize);
      // A retry looks at another entry, a fixed distance away, so that entries of one endpoint spread.
      const at = ((hash % tableSize) + attempt * RETRY_DISTANCE) % tableSize;
      return candidates[table[at] as number];
    },
  };
}

/** A prime that no table size is: consecutive entries of a table are not independent of each other. */
const RETRY_DISTANCE = 1_000_003;

const NONE = 0xffff_ffff;

/**
 * The index of a candidate for each entry. Each candidate prefers the entries in an order of its own
 * (`offset + n × skip`), and takes its best free entry in turn; a candidate with a third of the greatest
 * weight, in every third round. The order of the candidates does not matter: the first round is in the order
 * of their keys.
 *
 * @param tableSize A prime, so that every skip visits each entry.
 */
export function buildMaglevTable(
  candidates: readonly Pick<Candidate, "key">[],
  weights: readonly number[],
  tableSize: number,
): Uint32Array {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const entries = Uint32Array.from(candidates, ({ key }) => textHash(key) % tableSize);
  const skips = Uint32Array.from(candidates, ({ key }) => (textHash(key, 1) % (tableSize - 1)) + 1);
  const turnsTaken = new Uint32Array(candidates.length);
  const rounds = new Rounds(candidates.length, tableSize);
  for (const index of inOrderOfKeys(candidates)) rounds.add(1, index);
  const table = new Uint32Array(tableSize).fill(NONE);
  for (let filled = 0, round = 1; ; round++) {
    for (let index = rounds.take(round); index !== NONE; index = rounds.take(round)) {
      const skip = skips[index] as number;
      let entry = entries[index] as number;
      while (table[entry] !== NONE) {
        entry += skip;
        if (entry >= tableSize) entry -= tableSize;
      }
      table[entry] = index;
      if (++filled === tableSize) return table;
      entries[index] = entry;
      // Envoy's rule, of turn n: the first round r > the last with r × weight ≥ n × heaviest.
      const turn = (turnsTaken[index] as number) + 1;
      turnsTaken[index] = turn;
      rounds.add(Math.max(round + 1, Math.ceil((turn * heaviest) / (weights[index] as number))), index);
    }
  }
}

function inOrderOfKeys(candidates: readonly Pick<Candidate, "key">[]): readonly number[] {
  const key = (index: number): string => candidates[index]?.key ?? "";
  return candidates
    .map((_, index) => index)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

/**
 * A queue of candidates for each round. A candidate is in one queue at most, so an array of successors links
 * all queues; a light candidate costs nothing in the rounds that it skips.
 */
class Rounds {
  readonly #first: Uint32Array;
  readonly #last: Uint32Array;
  readonly #successor: Uint32Array;

  /** @param roundCount The last round that is ever taken from: later ones are ignored. */
  constructor(candidateCount: number, roundCount: number) {
    this.#first = new Uint32Array(roundCount + 1).fill(NONE);
    this.#last = new Uint32Array(roundCount + 1);
    this.#successor = new Uint32Array(candidateCount);
  }

  add(round: number, candidate: number): void {
    if (round >= this.#first.length) return;
    if (this.#first[round] === NONE) this.#first[round] = candidate;
    else this.#successor[this.#last[round] as number] = candidate;
    this.#last[round] = candidate;
    this.#successor[candidate] = NONE;
  }

  /** Removes the first candidate of the round; NONE when there is none. */
  take(round: number): number {
    const candidate = this.#first[round] as number;
    if (candidate !== NONE) this.#first[round] = this.#successor[candidate] as number;
    return candidate;
  }
}
