// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { whenAll } from "../kernel/maybe-promise.ts";
import type { Delivery } from "./delivery.ts";
import type { DropReason } from "./events.ts";
import type { DeliveryPort } from "./port.ts";
import type { DeliveryStats } from "./stats.ts";

/**
 * Several deliveries side by side, by the items' keys: items of one key keep their order, and those of
 * different keys do not wait for each other.
 */
export class Lanes<T> implements DeliveryPort<T> {
  readonly #lanes: readonly Delivery<T>[];
  readonly #keyOf: (item: T) => string;

  /** @param keyOf An item's key; when it throws, the item goes with the empty key. */
  constructor(lanes: readonly Delivery<T>[], keyOf: (item: T) => string) {
    this.#lanes = lanes;
    this.#keyOf = keyOf;
  }

  get depth(): number {
    return this.#sum(({ depth }) => depth);
  }

  get offered(): number {
    return this.#sum(({ offered }) => offered);
  }

  get stats(): DeliveryStats {
    const all = this.#lanes.map(({ stats }) => stats);
    const dropped: Partial<Record<DropReason, number>> = {};
    for (const { dropped: some } of all)
      for (const [reason, items] of Object.entries(some) as [DropReason, number][])
        dropped[reason] = (dropped[reason] ?? 0) + items;
    const sum = (field: "accepted" | "delivered" | "retried" | "waiting" | "bytes"): number =>
      all.reduce((total, stats) => total + stats[field], 0);
    const errors = all.flatMap(({ lastError }) => lastError ?? []).sort((a, b) => b.atMs - a.atMs);
    return {
      accepted: sum("accepted"),
      delivered: sum("delivered"),
      dropped,
      retried: sum("retried"),
      waiting: sum("waiting"),
      bytes: sum("bytes"),
      oldestMs: Math.max(...all.map(({ oldestMs }) => oldestMs)),
      breaker: all.find(({ breaker }) => breaker !== "closed")?.breaker ?? "closed",
      lastError: errors[0],
    };
  }

  offer(item: T, nowMs?: number): void {
    this.#lanes[this.#laneOf(item)]?.offer(item, nowMs);
  }

  async flush(deadlineMs: number): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.flush(deadlineMs)));
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close(deadlineMs)));
  }

  whenOpen(): Promise<void> | undefined {
    return whenAll(this.#lanes.map((lane) => lane.whenOpen()));
  }

  whenDurable(): Promise<void> | undefined {
    return whenAll(this.#lanes.map((lane) => lane.whenDurable()));
  }

  #laneOf(item: T): number {
    let key = "";
    try {
      key = this.#keyOf(item);
    } catch {
      // An adapter's own fault must not cost the item.
    }
    return hashOf(key) % this.#lanes.length;
  }

  #sum(of: (lane: Delivery<T>) => number): number {
    return this.#lanes.reduce((total, lane) => total + of(lane), 0);
  }
}

/** FNV-1a, 32 bits, over UTF-16 code units (Fowler, Noll, Vo). */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
