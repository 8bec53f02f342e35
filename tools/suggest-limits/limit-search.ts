// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaPolicy } from "../../core/snapshot/snapshot.ts";
import type { ChargeLog } from "./charge-log.ts";
import { LimitTrial, type RefusedShares } from "./limit-trial.ts";

/** Largest limit of a QuotaPolicy. */
const MAX_LIMIT = 1_000_000_000;

/** The things that a target share counts. */
export type ShareOf = keyof RefusedShares;

interface Tried {
  readonly shares: RefusedShares;
  readonly refusedCells: ReadonlySet<string>;
}

/**
 * Finds limits by replaying a log against one limit after another: doubling, then bisection. So a proposal
 * counts what the algorithm counts, not an approximation of it. Each limit is replayed once, and only for the keys
 * that a smaller limit refuses: every request charges the same amount, so a larger limit refuses no further key.
 */
export class LimitSearch {
  readonly #log: ChargeLog;
  readonly #policy: QuotaPolicy;
  readonly #tried = new Map<number, Tried>();

  constructor(log: ChargeLog, policy: QuotaPolicy) {
    this.#log = log;
    this.#policy = policy;
  }

  /**
   * The smallest limit from 1 on that refuses at most the share; the largest possible limit when a single charge
   * exceeds it.
   */
  smallest(share: number, of: ShareOf): number {
    let refuses = 0;
    let passes = 1;
    while (this.shares(passes)[of] > share) {
      if (passes === MAX_LIMIT) return MAX_LIMIT;
      refuses = passes;
      passes = Math.min(MAX_LIMIT, passes * 2);
    }
    while (passes - refuses > 1) {
      const middle = Math.floor((refuses + passes) / 2);
      if (this.shares(middle)[of] > share) refuses = middle;
      else passes = middle;
    }
    return passes;
  }

  /** The shares that a limit refuses of the log. */
  shares(limit: number): RefusedShares {
    const known = this.#tried.get(limit);
    if (known !== undefined) return known.shares;
    const log = this.#log;
    const trial = new LimitTrial(this.#policy, limit, log.keys);
    for (const charge of log.charges(this.#cellsToTry(limit))) trial.charge(charge);
    const shares = trial.shares(log.keys, log.requests) ?? { requests: 0, keys: 0 };
    this.#tried.set(limit, { shares, refusedCells: trial.refusedCells() });
    return shares;
  }

  /** The keys that the next smaller limit refuses; all of them when none was tried. */
  #cellsToTry(limit: number): ReadonlySet<string> | undefined {
    const smaller = [...this.#tried.keys()].filter((tried) => tried < limit);
    return smaller.length === 0 ? undefined : this.#tried.get(Math.max(...smaller))?.refusedCells;
  }
}
