// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge } from "../check/decision.ts";
import { isPurserError } from "../../kernel/errors.ts";
import { createMemoryQuotaStore, type MemoryQuotaStore } from "../quota/memory-store.ts";
import type { QuotaGrant, QuotaRequest } from "../quota/quota.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import { type Count, Counter, CounterTable } from "./count.ts";

/** What became of one policy's charges. */
export interface QuotaFinding {
  /** As QuotaPolicy/name. */
  readonly policy: string;
  readonly mode: "enforce" | "shadow";
  readonly charged: Count;
  readonly refused: Count;
  /** How many keys were refused anything. */
  readonly refusedKeys: number;
  /** Those refused most often, as the policy's cells are named. */
  readonly topKeys: readonly ({ readonly name: string } & Count)[];
}

/** Counts in use at most: about a gigabyte. */
const MAX_CELLS = 1_000_000;

interface Tallied {
  readonly policy: QuotaPolicy;
  readonly charged: Counter;
  readonly refused: Counter;
  readonly keys: CounterTable;
}

/**
 * Charges recorded requests to the quota algorithms on the records' own time. A record of a sample is charged as often
 * as it stands for requests, rounded. Nothing is leased: what leases refuse at a window's end is not seen.
 */
export class QuotaSimulation {
  readonly #tallies: ReadonlyMap<string, Tallied>;
  readonly #store: MemoryQuotaStore;
  /** Records come in about the order of time: the clock waits for those that are late. */
  #nowMs: number | undefined;
  #late = 0;
  #uncounted = 0;

  constructor(policies: readonly QuotaPolicy[], maxCells = MAX_CELLS) {
    this.#tallies = new Map(
      policies.map((policy) => [
        policy.name,
        { policy, charged: new Counter(), refused: new Counter(), keys: new CounterTable() },
      ]),
    );
    const now = (): number => this.#nowMs ?? 0;
    this.#store = createMemoryQuotaStore({
      clock: { nowMs: now, monotonicMs: now },
      maxCells,
      sharesCounts: false,
    });
  }

  /** Records that were older than one before them, and were counted at that one's time. */
  get late(): number {
    return this.#late;
  }

  /** Charges that found no room: all counts were in use. */
  get uncounted(): number {
    return this.#uncounted;
  }

  charge(charges: readonly QuotaCharge[], timeMs: number, weight: number): void {
    if (charges.length === 0) return;
    if (this.#nowMs !== undefined && timeMs < this.#nowMs) this.#late++;
    this.#nowMs = Math.max(this.#nowMs ?? timeMs, timeMs);
    const enforced = charges.filter(({ mode }) => mode === "enforce");
    // Enforced ones are granted together or not at all, shadow ones each by itself; as in a mixer.
    if (enforced.length > 0) this.#chargeGroup(enforced, weight);
    for (const charge of charges) if (charge.mode === "shadow") this.#chargeGroup([charge], weight);
  }

  findings(topKeys: number): readonly QuotaFinding[] {
    return [...this.#tallies.values()].map(({ policy, charged, refused, keys }) => ({
      policy: `QuotaPolicy/${policy.name}`,
      mode: policy.mode,
      charged: charged.count,
      refused: refused.count,
      refusedKeys: keys.size,
      topKeys: keys.top(topKeys),
    }));
  }

  #chargeGroup(charges: readonly QuotaCharge[], weight: number): void {
    const copies = Math.max(1, Math.round(weight));
    const requests = charges.map((charge) => this.#requestOf(charge));
    for (const { policy } of charges) this.#tallies.get(policy)?.charged.add(weight);
    for (let copy = 0; copy < copies; copy++) {
      const grants = this.#allocate(requests);
      if (grants === undefined) return;
      const refuser = refuserOf(charges, grants);
      if (refuser === undefined) continue;
      // At the same time and for the same amount, the rest is refused too.
      const refusedWeight = ((copies - copy) * weight) / copies;
      const tally = this.#tallies.get(refuser.policy);
      tally?.refused.add(refusedWeight);
      tally?.keys.add(refuser.cell, refusedWeight);
      return;
    }
  }

  #allocate(requests: readonly QuotaRequest[]): readonly QuotaGrant[] | undefined {
    try {
      return this.#store.allocate(requests, { deduplicationId: "" });
    } catch (error) {
      if (!isPurserError(error) || error.code !== "PURSER_STORE_UNAVAILABLE") throw error;
      this.#uncounted++;
      return undefined;
    }
  }

  #requestOf({ policy, cell, limit, windowMs, amount }: QuotaCharge): QuotaRequest {
    const algorithm = this.#tallies.get(policy)?.policy.algorithm ?? "sliding-window";
    return { cell, algorithm, limit, windowMs, amount, bestEffort: false, leaseMs: 0 };
  }
}

/** The first that has something to wait for: the others were not taken for its sake. */
function refuserOf(charges: readonly QuotaCharge[], grants: readonly QuotaGrant[]): QuotaCharge | undefined {
  const short = charges.filter(({ amount }, index) => (grants[index]?.granted ?? 0) < amount);
  return short.find((charge) => (grants[charges.indexOf(charge)]?.retryAfterMs ?? 0) > 0) ?? short[0];
}
