// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock } from "../../kernel/ports.ts";
import { chargeAll, type ChargeOptions } from "../quota/charge-all.ts";
import { demandOf, type NamedStore } from "../quota/demand.ts";
import { createMemoryQuotaStore } from "../quota/memory-store.ts";
import { chargeBeyond, type ChargedBeyond } from "../quota/beyond/charge-beyond.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";

/**
 * The quotas of one case, charged as in a mixer, with memory stores that live as long as the case: one for
 * each store that a policy names, and the built-in one.
 */
export class CaseQuotas {
  readonly #clock: Clock;
  readonly #options: Omit<ChargeOptions, "deduplicationId">;
  /** The name of each policy's store; absent for the built-in one. */
  readonly #storeNames: ReadonlyMap<string, string>;
  readonly #stores = new Map<string, NamedStore>();
  #calls = 0;

  constructor(policies: readonly Pick<QuotaPolicy, "name" | "store">[], clock: Clock) {
    this.#clock = clock;
    this.#options = { localStore: createMemoryQuotaStore({ clock }), nodes: 1 };
    this.#storeNames = new Map(
      policies.flatMap(({ name, store }) => (store === undefined ? [] : [[name, store] as const])),
    );
  }

  /** Charges one request, all or nothing, with `draw` and `degrade` beyond limits; `queue` is skipped. */
  charge(charges: readonly QuotaCharge[]): MaybePromise<ChargedBeyond> {
    const nowMs = this.#clock.nowMs();
    return chargeBeyond(charges, (made) => {
      const demands = made.map((charge) => demandOf(charge, this.#storeOf(charge.policy), { nowMs }));
      return chargeAll(demands, { deduplicationId: `request-${++this.#calls}`, ...this.#options });
    });
  }

  #storeOf(policy: string): NamedStore {
    const name = this.#storeNames.get(policy) ?? "memory";
    const known = this.#stores.get(name);
    if (known !== undefined) return known;
    const counting = createMemoryQuotaStore({ clock: this.#clock });
    const store: NamedStore = {
      name,
      allocate: (requests, options) => counting.allocate(requests, options),
    };
    this.#stores.set(name, store);
    return store;
  }
}
