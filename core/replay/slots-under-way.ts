// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { atOnce } from "../../kernel/maybe-promise.ts";
import { demandOf, type NamedStore } from "../quota/demand.ts";
import type { QuotaOutcome, SingleCharge } from "../quota/quota-charge.ts";
import type { QuotaGrant, QuotaRequest } from "../quota/quota.ts";

/** The slots that one recorded request holds of one count. */
interface Holder {
  readonly charge: SingleCharge;
  readonly endMs: number;
  slot: number;
  /** When the slots are given back or renewed, whichever comes first. */
  dueMs: number;
}

/** Most holders, some 300 MB; the slots of further requests are free after their lease. */
const MAX_HOLDERS = 1_000_000;

/**
 * Holds slots of `concurrency` from the beginning of recorded requests to their end, as proxies do: the store would
 * free them after their lease, so they are renewed at half of it.
 */
export class SlotsUnderWay {
  readonly #store: NamedStore;
  readonly #maxHolders: number;
  /** A binary heap: each holder is due no earlier than the one at half its position. */
  readonly #heap: Holder[] = [];

  /** @param maxHolders Most requests that hold slots; further ones hold theirs for a lease. */
  constructor(store: NamedStore, maxHolders = MAX_HOLDERS) {
    this.#store = store;
    this.#maxHolders = maxHolders;
  }

  /** @param outcome The store granted the whole amount at `nowMs`. */
  hold(charge: SingleCharge, { slot }: Pick<QuotaOutcome, "slot">, nowMs: number, endMs: number): void {
    if (this.#heap.length >= this.#maxHolders) return;
    this.#push({ charge, endMs, slot, dueMs: dueMs(charge, nowMs, endMs) });
  }

  /** Gives back the slots of requests that have ended, and renews those of the others. The store's clock shows `nowMs`. */
  advance(nowMs: number): void {
    const due: Holder[] = [];
    for (let [first] = this.#heap; first !== undefined && first.dueMs <= nowMs; [first] = this.#heap) {
      this.#pop();
      if (first.endMs <= nowMs) this.#allocate(returnOf(first, this.#store, nowMs));
      else due.push(first);
    }
    // Renewed after all returns: between two records, slots may have been renewed several times or have ended with
    // their lease, and nobody else has asked for them since.
    for (const holder of due) {
      const taken = demandOf(holder.charge, this.#store, { nowMs }).request;
      const grant = this.#allocate(returnOf(holder, this.#store, nowMs), taken);
      if (grant === undefined || grant.granted < holder.charge.amount) continue;
      holder.slot = grant.slot;
      holder.dueMs = dueMs(holder.charge, nowMs, holder.endMs);
      this.#push(holder);
    }
  }

  /** The last grant; undefined when all counts are in use. */
  #allocate(...requests: readonly QuotaRequest[]): QuotaGrant | undefined {
    try {
      return atOnce(this.#store.allocate(requests, { deduplicationId: "" })).at(-1);
    } catch {
      return undefined;
    }
  }

  #push(holder: Holder): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(holder);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((heap[above] as Holder).dueMs <= holder.dueMs) break;
      heap[at] = heap[above] as Holder;
      at = above;
    }
    heap[at] = holder;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Holder;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && (heap[below + 1] as Holder).dueMs < (heap[below] as Holder).dueMs)
        below++;
      if ((heap[below] as Holder).dueMs >= last.dueMs) break;
      heap[at] = heap[below] as Holder;
      at = below;
    }
    heap[at] = last;
  }
}

function dueMs({ windowMs }: SingleCharge, nowMs: number, endMs: number): number {
  return Math.min(endMs, nowMs + windowMs / 2);
}

function returnOf({ charge, slot }: Holder, store: NamedStore, nowMs: number): QuotaRequest {
  return demandOf({ ...charge, amount: -charge.amount }, store, { nowMs, slot }).request;
}
