// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge } from "../../../core/quota/quota-charge.ts";
import type { Cancel, Clock, Scheduler } from "../../../kernel/ports.ts";
import type { ClientStats } from "../stats.ts";
import type { HeldSlots, SlotGrant } from "./held-slots.ts";
import type { LeaseManager } from "./lease-manager.ts";

export interface SlotKeeperOptions {
  readonly leases: Pick<LeaseManager, "renew" | "giveBackSlots">;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly stats: ClientStats;
}

/** Slots in one renewal: a call holds at most 1,000 charges. */
const RENEWAL_BATCH = 50;

/** Looks in each life of a slot, which is renewed at the first look after half of it. */
const LOOKS = 4;

/**
 * Keeps the slots of requests under way: a slot is a unit that the store frees after its lease, so that a proxy that
 * crashes holds none for longer, and that is renewed while its request lasts.
 *
 * Never more than the limit hold slots, as long as renewals reach the store within half of a lease. A slot that could
 * not be renewed is free for others, while its request goes on.
 */
export class SlotKeeper {
  readonly #options: SlotKeeperOptions;
  /** The holders by the length of their leases. */
  readonly #holders = new Map<number, Set<HeldSlots>>();
  readonly #looks = new Map<number, Cancel>();

  constructor(options: SlotKeeperOptions) {
    this.#options = options;
  }

  /** Holds slots until the returned function is called, once. */
  hold(charge: QuotaCharge, grants: readonly SlotGrant[]): () => void {
    if (grants.length === 0) return () => {};
    const held = { charge, grants, renewedMs: this.#options.clock.monotonicMs(), released: false };
    this.#holdersOf(charge.windowMs).add(held);
    this.#lookLater(charge.windowMs);
    return () => this.#release(held);
  }

  /** Number of requests that hold slots. */
  get size(): number {
    let size = 0;
    for (const holders of this.#holders.values()) size += holders.size;
    return size;
  }

  #release(held: HeldSlots): void {
    held.released = true;
    // A holder that is not there is being renewed, and gives back the new slot afterwards; or it is lost.
    if (this.#holdersOf(held.charge.windowMs).delete(held)) void this.#options.leases.giveBackSlots(held);
  }

  #holdersOf(leaseMs: number): Set<HeldSlots> {
    let holders = this.#holders.get(leaseMs);
    if (holders === undefined) {
      holders = new Set();
      this.#holders.set(leaseMs, holders);
    }
    return holders;
  }

  #lookLater(leaseMs: number): void {
    if (this.#looks.has(leaseMs)) return;
    const look = (): void => {
      this.#looks.delete(leaseMs);
      this.#renewDue(leaseMs);
      if (this.#holdersOf(leaseMs).size > 0) this.#lookLater(leaseMs);
    };
    this.#looks.set(leaseMs, this.#options.scheduler.after(leaseMs / LOOKS, look));
  }

  #renewDue(leaseMs: number): void {
    const holders = this.#holdersOf(leaseMs);
    const beforeMs = this.#options.clock.monotonicMs() - leaseMs / 2;
    const due: HeldSlots[] = [];
    for (const held of holders) if (held.renewedMs <= beforeMs) due.push(held);
    for (const held of due) holders.delete(held);
    for (let start = 0; start < due.length; start += RENEWAL_BATCH)
      void this.#renew(due.slice(start, start + RENEWAL_BATCH));
  }

  async #renew(batch: readonly HeldSlots[]): Promise<void> {
    const { leases, clock, stats } = this.#options;
    const sentMs = clock.monotonicMs();
    const renewed = await leases.renew(batch);
    // All or none: one slot that is lost must not cost the others theirs.
    if (renewed === "refused" && batch.length > 1) {
      await Promise.all(batch.map((held) => this.#renew([held])));
      return;
    }
    for (const [index, held] of batch.entries()) {
      if (renewed === "refused") {
        stats.quota_slots_lost++;
        continue;
      }
      if (renewed === "unavailable") {
        // The next look tries again, until the lease has ended.
        if (sentMs - held.renewedMs > held.charge.windowMs) {
          stats.quota_slots_lost++;
          continue;
        }
      } else {
        held.grants = renewed[index] as readonly SlotGrant[];
        held.renewedMs = sentMs;
        stats.quota_slots_renewed++;
      }
      if (held.released) void leases.giveBackSlots(held);
      else {
        this.#holdersOf(held.charge.windowMs).add(held);
        this.#lookLater(held.charge.windowMs);
      }
    }
  }
}
