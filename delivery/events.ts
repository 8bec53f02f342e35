// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "./batch.ts";

/**
 * Why items were dropped:
 * - `overflow`: the queue was full.
 * - `failed`: a batch that was refused for good, or ran out of attempts.
 * - `refused`: single items that the receiver refused of a batch whose others it accepted.
 * - `closed`: not delivered before the close.
 * - `damaged`: the spool's file could not be read back.
 * - `unwritable`: the item could not be written to the spool.
 */
export type DropReason = "overflow" | "failed" | "refused" | "closed" | "damaged" | "unwritable";

/** Events of items after they were offered, for counters, metrics and logs. Must not throw. */
export interface DeliveryEvents<T> {
  /** A try begins; it is a retry when `batch.attempts` is more than 1. */
  sending(batch: Batch<T>): void;
  delivered(batch: Batch<T>): void;
  /** A try failed; the batch may be retried. */
  failed(batch: Batch<T>, error: unknown): void;
  /** Items will never be sent again; `batch` is absent when their queue dropped them. */
  dropped(items: number, reason: DropReason, error?: unknown, batch?: Batch<T>): void;
  /**
   * The delivery was closed while the batch was under way. Its result is reported later if the process still
   * runs.
   */
  abandoned(batch: Batch<T>): void;
  /** The delivery is closed: every item has been reported. */
  closed(): void;
}
