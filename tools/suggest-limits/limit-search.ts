// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaPolicy } from "../../core/snapshot/snapshot.ts";
import type { ChargeLog } from "./charge-log.ts";
import { LimitTrial, type RefusedShares } from "./limit-trial.ts";

/** Largest limit of a QuotaPolicy. */
const MAX_LIMIT = 1_000_000_000;

/** What a target share is a share of. */
export type ShareOf = keyof RefusedShares;

/**
 * Finds limits by replaying a log against one limit after another: doubling, then bisection. So a proposal
 * counts what the algorithm counts, not an approximation of it. Each limit is replayed once.
 */
export class LimitSearch {
  readonly #log: ChargeLog;
  readonly #policy: QuotaPolicy;
  readonly #tried = new Map<number, RefusedShares>();

  constructor(log: ChargeLog, policy: QuotaPolicy) {
    this.#log = log;
    this.#policy = policy;
  }

  /**
   * The smallest limit from 1 on that refuses at most the share; the largest possible limit when a single charge
   * exceeds it. A larger limit refuses no more, except by chance where amounts differ.
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
    if (known !== undefined) return known;
    const trial = new LimitTrial(this.#policy, limit, this.#log.keys);
    for (const charge of this.#log.charges()) trial.charge(charge);
    const shares = trial.shares(this.#log.keys) ?? { requests: 0, keys: 0 };
    this.#tried.set(limit, shares);
    return shares;
  }
}
