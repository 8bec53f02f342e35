// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import { formatDocumentRef, quotaPolicyRef } from "../check/document-ref.ts";
import { type ChargedBeyond, chargeBeyond } from "../quota/beyond/charge-beyond.ts";
import type { QuotaCharge, QuotaOutcome, SingleCharge } from "../quota/quota-charge.ts";
import { atOnce } from "../../kernel/maybe-promise.ts";
import { chargeAll, type ChargeOptions } from "../quota/charge-all.ts";
import { demandOf, type NamedStore } from "../quota/demand.ts";
import { createMemoryQuotaStore } from "../quota/memory-store.ts";
import { fallsShort, refusalOf } from "../quota/refusal.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import { type Count, Counter, CounterTable } from "./count.ts";
import { SlotsUnderWay } from "./slots-under-way.ts";

/** Replayed charges of one policy. */
export interface QuotaFinding {
  /** The policy, as QuotaPolicy/name. */
  readonly policy: string;
  readonly mode: EnforcementMode;
  readonly charged: Count;
  readonly refused: Count;
  /** Requests that the limit would have refused, and that drew on another policy or were degraded. */
  readonly beyond: Count;
  /** Number of keys with a refusal. */
  readonly refusedKeys: number;
  /** The keys refused most often, named as the policy's cells. */
  readonly topKeys: readonly ({ readonly name: string } & Count)[];
}

/** Most counts in use, about a gigabyte. */
const MAX_CELLS = 1_000_000;

const MAX_REFUSED_KEYS = 10_000;

/** Running counts of one policy. */
interface PolicyCounts {
  readonly policy: QuotaPolicy;
  readonly charged: Counter;
  readonly refused: Counter;
  readonly beyond: Counter;
  readonly keys: CounterTable;
}

/**
 * Charges recorded requests to the quota algorithms, on the time of the records, as a mixer does. A record of
 * a sampled log is charged as many times as the number of requests that it represents, rounded. Leases are
 * not simulated, so refusals that a lease causes at a window's end do not show. Of the steps beyond a limit, a
 * record draws and degrades, and never waits. Slots of `concurrency` are free when the record's request ended.
 */
export class QuotaSimulation {
  readonly #counts: ReadonlyMap<string, PolicyCounts>;
  readonly #store: NamedStore;
  readonly #options: ChargeOptions;
  readonly #slots: SlotsUnderWay;
  /** Records are roughly in order of time: the clock does not go back for late ones. */
  #nowMs: number | undefined;
  #late = 0;
  #uncounted = 0;

  /**
   * @param maxCells Most counts in use.
   * @param maxRefusedKeys Most keys with a refusal that each policy tells apart; further ones count as one.
   */
  constructor(policies: readonly QuotaPolicy[], maxCells = MAX_CELLS, maxRefusedKeys = MAX_REFUSED_KEYS) {
    this.#counts = new Map(
      policies.map((policy) => [
        policy.name,
        {
          policy,
          charged: new Counter(),
          refused: new Counter(),
          beyond: new Counter(),
          keys: new CounterTable(maxRefusedKeys),
        },
      ]),
    );
    const now = (): number => this.#nowMs ?? 0;
    const store = createMemoryQuotaStore({
      clock: { nowMs: now, monotonicMs: now },
      maxCells,
      sharesCounts: false,
    });
    this.#store = { name: "simulation", allocate: (requests, options) => store.allocate(requests, options) };
    this.#slots = new SlotsUnderWay(this.#store);
    this.#options = {
      deduplicationId: "",
      localStore: store,
      nodes: 1,
      observer: { failed: () => void this.#uncounted++ },
    };
  }

  /** Number of records older than an earlier one, which were counted at the earlier one's time. */
  get late(): number {
    return this.#late;
  }

  /** Number of charges that were not counted because all counts were in use. */
  get uncounted(): number {
    return this.#uncounted;
  }

  /**
   * @param timeMs When the request began.
   * @param endMs When it ended; undefined when the log does not tell: its slots are free after a lease.
   */
  charge(charges: readonly QuotaCharge[], timeMs: number, weight: number, endMs?: number): void {
    if (charges.length === 0) return;
    if (this.#nowMs !== undefined && timeMs < this.#nowMs) this.#late++;
    this.#nowMs = Math.max(this.#nowMs ?? timeMs, timeMs);
    this.#slots.advance(this.#nowMs);
    for (const { policy } of charges) this.#counts.get(policy)?.charged.add(weight);
    const copies = Math.max(1, Math.round(weight));
    let open = charges;
    for (let copy = 0; copy < copies && open.length > 0; copy++)
      open = this.#chargeOnce(open, ((copies - copy) * weight) / copies, weight / copies, endMs);
  }

  findings(topKeys: number): readonly QuotaFinding[] {
    return [...this.#counts.values()].map(({ policy, charged, refused, beyond, keys }) => ({
      policy: formatDocumentRef(quotaPolicyRef(policy.name)),
      mode: policy.mode,
      charged: charged.count,
      refused: refused.count,
      beyond: beyond.count,
      refusedKeys: keys.size,
      topKeys: keys.top(topKeys),
    }));
  }

  /**
   * Charges one copy of a request.
   *
   * @param left Number of requests that this copy and the copies after it represent: charged at the same time
   *   and with the same amount, all of them are refused when this one is.
   * @param each Number of requests that this copy represents.
   * @returns The charges that the next copy is charged for.
   */
  #chargeOnce(
    charges: readonly QuotaCharge[],
    left: number,
    each: number,
    endMs: number | undefined,
  ): readonly QuotaCharge[] {
    // A charge that cannot be counted is allowed, so that it refuses no request.
    const nowMs = this.#nowMs ?? 0;
    const make = (made: readonly SingleCharge[]) =>
      chargeAll(
        made.map((charge) => demandOf({ ...charge, onStoreFailure: "allow" }, this.#store, { nowMs })),
        this.#options,
      );
    const charged = atOnce(chargeBeyond(charges, make));
    for (const { policy, from } of charged.events) {
      this.#counts.get(policy)?.beyond.add(each);
      if (from !== undefined) this.#counts.get(from)?.charged.add(each);
    }
    const refusal = refusalOf(charged.charges, charged.outcomes);
    if (endMs !== undefined) this.#holdSlots(charged, refusal === undefined ? endMs : nowMs);
    return charges.filter((charge) => {
      const { mode, amount, policy, cell } = charge;
      const outcome = charged.outcomes[charged.charges.indexOf(charge)];
      // A step beyond the limit replaced the charge.
      if (outcome === undefined) return true;
      const isRefused = mode === "enforce" ? charge === refusal?.charge : fallsShort(amount, outcome);
      if (isRefused) {
        this.#counts.get(policy)?.refused.add(left);
        this.#counts.get(policy)?.keys.add(cell, left);
      }
      const goesOn = mode === "enforce" ? refusal === undefined : !isRefused;
      return goesOn && outcome.failure === undefined;
    });
  }

  /** A request that is refused ends at once: also the slots that it has of quotas in shadow mode are free then. */
  #holdSlots({ charges, outcomes }: ChargedBeyond, endMs: number): void {
    for (const [index, charge] of charges.entries()) {
      const outcome = outcomes[index] as QuotaOutcome;
      if (charge.algorithm !== "concurrency" || charge.amount === 0) continue;
      if (outcome.failure === undefined && outcome.granted === charge.amount)
        this.#slots.hold(charge, outcome, this.#nowMs ?? 0, endMs);
    }
  }
}
