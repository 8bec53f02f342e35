// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import { formatDocumentRef, quotaPolicyRef } from "../check/document-ref.ts";
import type { QuotaCharge, QuotaOutcome } from "../quota/quota-charge.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { chargeAll, type ChargeOptions } from "../quota/charge-all.ts";
import { demandOf, type NamedStore } from "../quota/demand.ts";
import { createMemoryQuotaStore } from "../quota/memory-store.ts";
import { fallsShort, refusalOf } from "../quota/refusal.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import { type Count, Counter, CounterTable } from "./count.ts";

/** What became of one policy's charges. */
export interface QuotaFinding {
  /** As QuotaPolicy/name. */
  readonly policy: string;
  readonly mode: EnforcementMode;
  readonly charged: Count;
  readonly refused: Count;
  /** How many keys were refused anything. */
  readonly refusedKeys: number;
  /** Those refused most often, as the policy's cells are named. */
  readonly topKeys: readonly ({ readonly name: string } & Count)[];
}

/** Counts in use at most: about a gigabyte. */
const MAX_CELLS = 1_000_000;

/** The findings of one policy as they are counted. */
interface PolicyCounts {
  readonly policy: QuotaPolicy;
  readonly charged: Counter;
  readonly refused: Counter;
  readonly keys: CounterTable;
}

/**
 * Charges recorded requests to the quota algorithms on the records' own time, as a mixer does. A record of a sample is
 * charged as often as it stands for requests, rounded. Nothing is leased: what leases refuse at a window's end is not seen.
 */
export class QuotaSimulation {
  readonly #counts: ReadonlyMap<string, PolicyCounts>;
  readonly #store: NamedStore;
  readonly #options: ChargeOptions;
  /** Records come in about the order of time: the clock waits for those that are late. */
  #nowMs: number | undefined;
  #late = 0;
  #uncounted = 0;

  constructor(policies: readonly QuotaPolicy[], maxCells = MAX_CELLS) {
    this.#counts = new Map(
      policies.map((policy) => [
        policy.name,
        { policy, charged: new Counter(), refused: new Counter(), keys: new CounterTable() },
      ]),
    );
    const now = (): number => this.#nowMs ?? 0;
    const store = createMemoryQuotaStore({
      clock: { nowMs: now, monotonicMs: now },
      maxCells,
      sharesCounts: false,
    });
    this.#store = { name: "simulation", allocate: (requests, options) => store.allocate(requests, options) };
    this.#options = {
      deduplicationId: "",
      localStore: store,
      nodes: 1,
      observer: { failed: () => void this.#uncounted++ },
    };
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
    for (const { policy } of charges) this.#counts.get(policy)?.charged.add(weight);
    const copies = Math.max(1, Math.round(weight));
    let open = charges;
    for (let copy = 0; copy < copies && open.length > 0; copy++)
      open = this.#chargeOnce(open, ((copies - copy) * weight) / copies);
  }

  findings(topKeys: number): readonly QuotaFinding[] {
    return [...this.#counts.values()].map(({ policy, charged, refused, keys }) => ({
      policy: formatDocumentRef(quotaPolicyRef(policy.name)),
      mode: policy.mode,
      charged: charged.count,
      refused: refused.count,
      refusedKeys: keys.size,
      topKeys: keys.top(topKeys),
    }));
  }

  /**
   * Charges one copy of a request.
   *
   * @param left How many requests this copy and those after it stand for: at the same time and for the same amount, all
   *   of them are refused when this one is.
   * @returns the charges that the next copy is to be charged for.
   */
  #chargeOnce(charges: readonly QuotaCharge[], left: number): readonly QuotaCharge[] {
    // A charge that finds no room is passed over, so that it refuses nobody.
    const demands = charges.map((charge) => demandOf({ ...charge, onStoreFailure: "allow" }, this.#store));
    const outcomes = atOnce(chargeAll(demands, this.#options));
    const refusal = refusalOf(charges, outcomes);
    return charges.filter((charge, index) => {
      const { mode, amount, policy, cell } = charge;
      const outcome = outcomes[index] as QuotaOutcome;
      const isRefused = mode === "enforce" ? charge === refusal?.charge : fallsShort(amount, outcome);
      if (isRefused) {
        this.#counts.get(policy)?.refused.add(left);
        this.#counts.get(policy)?.keys.add(cell, left);
      }
      const goesOn = mode === "enforce" ? refusal === undefined : !isRefused;
      return goesOn && outcome.failure === undefined;
    });
  }
}
