// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DeliveryStats } from "./stats.ts";

/** Where a handler's instances of one template go. */
export interface DeliveryPort<T> {
  /** Number of items waiting or under way. */
  readonly depth: number;
  readonly stats: DeliveryStats;
  /** Number of items offered in this process. */
  readonly offered: number;
  /** Whether the disk of the queue refuses items; undefined for a queue without a disk. */
  readonly faulty?: boolean | undefined;
  /** See Delivery. */
  offer(item: T, nowMs?: number): void;
  flush(deadlineMs: number): Promise<void>;
  close(deadlineMs: number): Promise<void>;
  whenOpen(): Promise<void> | undefined;
  whenDurable(): Promise<void> | undefined;
}
