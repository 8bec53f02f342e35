// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DropReason } from "../events.ts";

/** How an item left the spool. */
export type SpoolOutcome = "delivered" | DropReason;

/** In the order of their numbers in the ledger: append only. */
export const SPOOL_OUTCOMES: readonly SpoolOutcome[] = [
  "delivered",
  "overflow",
  "failed",
  "refused",
  "closed",
  "damaged",
  "unwritable",
];

/** Numbers of items since the spool was made: `accepted` = `delivered` + waiting + all of `dropped`. */
export interface SpoolTotals {
  readonly accepted: number;
  readonly delivered: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

/** Counts of items by outcome. */
export class OutcomeCounts {
  readonly #counts = new Map<SpoolOutcome, number>();

  add(outcome: SpoolOutcome, items: number): void {
    this.#counts.set(outcome, this.of(outcome) + items);
  }

  of(outcome: SpoolOutcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /** Number of all items. */
  get all(): number {
    let all = 0;
    for (const count of this.#counts.values()) all += count;
    return all;
  }

  get dropped(): Readonly<Partial<Record<DropReason, number>>> {
    return Object.fromEntries([...this.#counts].filter(([outcome]) => outcome !== "delivered"));
  }

  /** The counts in the order of SPOOL_OUTCOMES, for the state file. */
  toList(): readonly number[] {
    return SPOOL_OUTCOMES.map((outcome) => this.of(outcome));
  }

  static from(list: readonly number[]): OutcomeCounts {
    const counts = new OutcomeCounts();
    for (const [index, outcome] of SPOOL_OUTCOMES.entries()) {
      const count = list[index] ?? 0;
      if (count > 0) counts.add(outcome, count);
    }
    return counts;
  }
}
