// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "./batch.ts";

/**
 * `overflow`: the queue was full; `failed`: refused for good, or out of attempts; `closed`: not delivered before the end.
 */
export type DropReason = "overflow" | "failed" | "closed";

/** Everything that happens to items after they were offered. Counters, metrics and logs are made of it. Must not throw. */
export interface DeliveryEvents<T> {
  /** A try begins; it is a retry when `batch.attempts` is more than 1. */
  sending(batch: Batch<T>): void;
  delivered(batch: Batch<T>): void;
  /** A try failed; the batch may be tried again. */
  failed(batch: Batch<T>, error: unknown): void;
  /** The batch will never be sent again. */
  dropped(batch: Batch<T>, reason: DropReason, error?: unknown): void;
  /** The end came while the batch was under way. What becomes of it is told later, when somebody is still there. */
  abandoned(batch: Batch<T>): void;
  /** The end: every item has been told of. */
  closed(): void;
}
