// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DocumentRef, quotaPolicyRef } from "../../core/check/document-ref.ts";
import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import { fallsShort } from "../../core/quota/refusal.ts";
import { chain, isPromise } from "../../kernel/maybe-promise.ts";
import { type ChargeSettler, isSlot } from "./charge-settler.ts";
import type { ChargeSettlement } from "./check-result.ts";
import type { LeasedCharge, LeaseManager } from "./leases/lease-manager.ts";
import type { ChargeResult } from "./leases/lease-pool.ts";
import type { ClientStats } from "./stats.ts";

export interface ShadowQuotasOptions {
  readonly leases: LeaseManager;
  readonly settler: ChargeSettler;
  readonly stats: ClientStats;
}

/** A request's charges on quotas in shadow mode. */
export interface ShadowCharged {
  /** The quotas that would have refused the request, as far as that is known at once. */
  readonly refused: readonly DocumentRef[];
  /** The slots of `concurrency` that the request holds; undefined without such quotas. */
  readonly slots: ShadowSlots | undefined;
}

const NONE: ShadowCharged = { refused: [], slots: undefined };

/**
 * Charges quotas in shadow mode without ever delaying the request: a refusal that is not known at once is counted later.
 * The request holds the slots that it was granted until it ends, so that the count is that of the requests under way.
 */
export class ShadowQuotas {
  readonly #options: ShadowQuotasOptions;
  /** Of the charge at hand; reused. */
  readonly #retryAfterMs: number[] = [];

  constructor(options: ShadowQuotasOptions) {
    this.#options = options;
  }

  charge(shadow: readonly LeasedCharge[], nowMs: number): ShadowCharged {
    if (shadow.length === 0) return NONE;
    const { leases, stats } = this.#options;
    const refused: DocumentRef[] = [];
    let slots: ShadowSlots | undefined;
    for (const leased of shadow) {
      const one = [leased];
      const holds = isSlot(leased.charge);
      if (holds) slots ??= new ShadowSlots();
      const taken: ChargeResult[] | undefined = holds ? [] : undefined;
      if (leases.takeAtOnce(one, nowMs, taken)) {
        if (taken !== undefined) this.#hold(slots, leased.charge, taken);
        continue;
      }
      const result = leases.refuseAtOnce(one, nowMs, this.#retryAfterMs)
        ? true
        : chain(leases.acquire(one, nowMs), (results) => {
            if (holds) this.#hold(slots, leased.charge, results);
            return results[0]?.kind === "refused";
          });
      if (isPromise(result)) {
        void result.then((refuses) => {
          if (refuses) stats.quota_shadow_denies++;
        });
      } else if (result) {
        stats.quota_shadow_denies++;
        refused.push(quotaPolicyRef(leased.charge.policy));
      }
    }
    return { refused, slots };
  }

  /** The slots that the mixer granted in shadow mode with its decision; undefined when it granted none. */
  slotsOf(charges: readonly QuotaCharge[], outcomes: readonly QuotaOutcome[]): ShadowSlots | undefined {
    const granted = charges.flatMap((charge, index) => {
      const outcome = outcomes[index] as QuotaOutcome;
      const holds = charge.mode === "shadow" && isSlot(charge) && outcome.failure === undefined;
      return holds && outcome.granted > 0 && !fallsShort(charge.amount, outcome) ? [{ charge, outcome }] : [];
    });
    if (granted.length === 0) return undefined;
    const slots = new ShadowSlots();
    slots.add(this.#options.settler.ofGrants(granted));
    return slots;
  }

  #hold(slots: ShadowSlots | undefined, charge: QuotaCharge, results: readonly ChargeResult[]): void {
    slots?.add(this.#options.settler.ofLeases([charge], results));
  }
}

/** The slots that one request holds in shadow mode; some may arrive while it is under way, or after its end. */
export class ShadowSlots implements ChargeSettlement {
  readonly readsBody = false;
  #held: ChargeSettlement[] | undefined = [];

  add(settlement: ChargeSettlement): void {
    if (this.#held === undefined) release(settlement);
    else this.#held.push(settlement);
  }

  /** Gives the slots back, and those that arrive later, whatever the request's fate. Safe to call twice. */
  settle(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const settlement of held) release(settlement);
  }
}

/** Slots go back however a request ends, and whatever its attributes are. */
function release(settlement: ChargeSettlement): void {
  settlement.settle(undefined, {});
}
