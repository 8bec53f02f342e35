// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge } from "../../core/quota/quota-charge.ts";
import { QuotaSimulation } from "../../core/replay/quota-simulation.ts";
import type { QuotaPolicy } from "../../core/snapshot/snapshot.ts";
import type { RecordedCharge } from "./charge-log.ts";

/** Shares that a limit refuses, from 0 to 1. */
export interface RefusedShares {
  /** Of requests, each record of a sampled log counted as the requests that it represents. */
  readonly requests: number;
  /** Of keys: those with at least one refused request. */
  readonly keys: number;
}

/** Replays recorded charges against one limit, with the simulation that replay uses. */
export class LimitTrial {
  readonly limit: number;
  readonly #simulation: QuotaSimulation;
  readonly #policy: QuotaPolicy;

  /** @param maxKeys Most keys of the log. */
  constructor(policy: QuotaPolicy, limit: number, maxKeys: number) {
    this.limit = limit;
    this.#policy = policy;
    this.#simulation = new QuotaSimulation([policy], undefined, maxKeys);
  }

  charge({ cell, amount, timeMs, weight }: RecordedCharge): void {
    const { quota, mode } = this.#policy;
    const charge: QuotaCharge = { ...quota, mode, cell, amount, limit: this.limit, message: "" };
    this.#simulation.charge([charge], timeMs, weight);
  }

  /** Records that were older than an earlier one, and charges that could not be counted. */
  get notes(): { readonly late: number; readonly uncounted: number } {
    const { late, uncounted } = this.#simulation;
    return { late, uncounted };
  }

  /** The keys with a refused request. */
  refusedCells(): ReadonlySet<string> {
    const [finding] = this.#simulation.findings(Number.POSITIVE_INFINITY);
    return new Set(finding?.topKeys.map(({ name }) => name));
  }

  /**
   * @param keys Number of all keys, of which some may not have been charged here.
   * @param requests Number of all requests, estimated; default: those charged.
   * @returns undefined when nothing was charged.
   */
  shares(keys: number, requests?: number): RefusedShares | undefined {
    const [finding] = this.#simulation.findings(0);
    const charged = requests ?? finding?.charged.estimated ?? 0;
    if (finding === undefined || charged === 0) return undefined;
    return { requests: finding.refused.estimated / charged, keys: finding.refusedKeys / keys };
  }
}
