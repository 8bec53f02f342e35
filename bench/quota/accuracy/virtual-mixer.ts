// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  AllocateCharge,
  AllocateReply,
  AllocateRequest,
  CheckReply,
  CheckRequest,
  MixerService,
  PolicyState,
} from "../../../api/mixer-service.ts";
import type { Decision } from "../../../core/check/decision.ts";
import { chargeAll, type ChargeOptions } from "../../../core/quota/charge-all.ts";
import { demandOf, type NamedStore } from "../../../core/quota/demand.ts";
import { createMemoryQuotaStore } from "../../../core/quota/memory-store.ts";
import type { QuotaCharge, QuotaOutcome } from "../../../core/quota/quota-charge.ts";
import type { MaybePromise } from "../../../kernel/maybe-promise.ts";
import type { Clock, Scheduler } from "../../../kernel/ports.ts";
import { OK } from "../../../kernel/status.ts";

export interface VirtualMixerOptions {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The charge of every request. */
  readonly charge: QuotaCharge;
  readonly proxies: number;
  /** One way between proxy and mixer, in milliseconds. */
  readonly wayMs: number;
  /** Time from the mixer's call to its store's answer, in milliseconds. */
  readonly storeLatencyMs: number;
}

/**
 * A mixer with one quota on the real memory store, for any number of proxies. Calls and answers take their time
 * on the given clock; the store counts halfway.
 */
export class VirtualMixer implements MixerService {
  /** Number of calls that ask for amounts or give them back. */
  calls = 0;
  readonly #options: VirtualMixerOptions;
  readonly #store: NamedStore;
  readonly #charging: Omit<ChargeOptions, "deduplicationId">;
  readonly #state: PolicyState;

  constructor(options: VirtualMixerOptions) {
    const { clock, proxies } = options;
    this.#options = options;
    const memory = createMemoryQuotaStore({ clock });
    this.#store = {
      name: "memory",
      allocate: (requests, allocateOptions) => memory.allocate(requests, allocateOptions),
    };
    this.#charging = { localStore: createMemoryQuotaStore({ clock }), nodes: proxies };
    this.#state = { version: "v1", proxies, policies: [] };
  }

  check({ deduplicationId, useWithinMs = 0 }: CheckRequest): MaybePromise<CheckReply> {
    const { charge } = this.#options;
    const one = { ...charge, leaseMs: useWithinMs, bestEffort: false };
    return this.#after(deduplicationId, [one], (quotas) => ({
      version: this.#state.version,
      decision: decisionWith(charge),
      quotas,
    }));
  }

  allocate({ deduplicationId, charges }: AllocateRequest): MaybePromise<AllocateReply> {
    return this.#after(deduplicationId, charges, (quotas) => ({ kind: "granted", quotas }));
  }

  report(): void {
    throw new Error("nothing is reported here");
  }

  watch(_: unknown, listener: (state: PolicyState) => void): () => void {
    listener(this.#state);
    return () => {};
  }

  #after<Reply>(
    deduplicationId: string,
    charges: readonly AllocateCharge[],
    replyOf: (quotas: readonly QuotaOutcome[]) => Reply,
  ): Promise<Reply> {
    this.calls++;
    const { clock, scheduler, charge, wayMs, storeLatencyMs } = this.#options;
    const halfMs = wayMs + storeLatencyMs / 2;
    return new Promise((resolve) => {
      scheduler.after(halfMs, () => {
        const demands = charges.map(({ amount, leaseMs, bestEffort, slot }) =>
          demandOf({ ...charge, amount }, this.#store, { nowMs: clock.nowMs(), leaseMs, bestEffort, slot }),
        );
        // The memory store answers synchronously.
        const quotas = chargeAll(demands, { deduplicationId, ...this.#charging }) as readonly QuotaOutcome[];
        const reply = replyOf(quotas);
        scheduler.after(halfMs, () => resolve(reply));
      });
    });
  }
}

/** A decision that every proxy keeps: only the quota is asked for again. */
function decisionWith(charge: QuotaCharge): Decision {
  return {
    status: OK,
    requestHeaders: [],
    responseHeaders: [],
    validDurationMs: Number.MAX_SAFE_INTEGER,
    validUseCount: Number.MAX_SAFE_INTEGER,
    referenced: [],
    shadowDenials: [],
    audits: [],
    charges: [charge],
  };
}
