// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf } from "../kernel/errors.ts";
import type { DropReason } from "./events.ts";

/** Numbers of one delivery: `accepted` = `delivered` + `waiting` + all of `dropped`. */
export interface DeliveryStats {
  readonly accepted: number;
  readonly delivered: number;
  /** By reason; a reason that never occurred is absent. */
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  /** Batches tried again. */
  readonly retried: number;
  /** Items waiting or under way. */
  readonly waiting: number;
  /** Size of the waiting items in bytes; 0 when they are not measured. */
  readonly bytes: number;
  /** Age of the oldest waiting item in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
  readonly breaker: "closed" | "open" | "half-open";
  /** The last failed try, with its time in milliseconds since the epoch. */
  readonly lastError: { readonly message: string; readonly atMs: number } | undefined;
}

/** Counts since a delivery began. */
export class DeliveryCounts {
  accepted = 0;
  delivered = 0;
  retried = 0;
  lastError: DeliveryStats["lastError"];
  readonly #dropped: Partial<Record<DropReason, number>> = {};

  get totals(): Pick<DeliveryStats, "accepted" | "delivered" | "dropped"> {
    const { accepted, delivered } = this;
    return { accepted, delivered, dropped: { ...this.#dropped } };
  }

  get allDropped(): number {
    let all = 0;
    for (const items of Object.values(this.#dropped)) all += items;
    return all;
  }

  drop(reason: DropReason, items: number): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + items;
  }

  failed(error: unknown, atMs: number): void {
    this.lastError = { message: messageOf(error), atMs };
  }
}
