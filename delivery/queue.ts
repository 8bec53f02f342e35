// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "./batch.ts";
import type { DropReason } from "./events.ts";
import type { SpoolTotals } from "./spool/outcomes.ts";

/** Maximum content of a batch. The first item is taken whatever its size. */
export interface BatchLimit {
  readonly items: number;
  /** Default: unlimited. Only a queue that was given a measure knows sizes. */
  readonly bytes?: number;
}

/** The events of a queue, for its delivery. */
export interface QueueListener {
  /** Items were dropped that the queue had accepted; the batch is gone. */
  dropped(items: number, reason: DropReason): void;
  /** Items came back from the disk. */
  ready(): void;
}

/** Items that wait for their first try, in order. */
export interface DeliveryQueue<T> {
  /**
   * Whether items survive this process until they are acknowledged, including taken ones: a queue on disk
   * returns them after a restart. In a queue that is not durable, the items left at the close are dropped.
   */
  readonly durable: boolean;
  /** Whether the queue keeps its own bounds; otherwise its delivery drops what exceeds them. */
  readonly bounded: boolean;
  /** Number of waiting items, without taken ones. */
  readonly size: number;
  /** Size of the waiting items, as far as it is known. */
  readonly bytes: number;
  /** When the oldest waiting item came, in monotonic milliseconds; undefined when none waits. */
  readonly oldestMs: number | undefined;
  /** Whether the disk refuses the queue's items; absent for a queue without a disk. */
  readonly faulty?: boolean;
  /** Numbers over all processes that used the queue; undefined when the queue keeps none. */
  readonly totals?: SpoolTotals | undefined;
  /** Called once, before any other call. */
  listen(listener: QueueListener): void;
  /** Whether the waiting items fill a batch. */
  fills(limit: BatchLimit): boolean;
  /** @param nowMs The time in monotonic milliseconds, when the caller has just read it. */
  put(item: T, nowMs?: number): void;
  /** Takes the oldest waiting items, up to the limit; undefined when none can be had now. */
  take(limit: BatchLimit): Batch<T> | undefined;
  /** The batch was delivered, or dropped and counted: the queue need not keep it. */
  acknowledge(batch: Batch<T>, outcome: "delivered" | DropReason): void;
  /**
   * Resolves when a queue that is durable has read its files, or has failed to; undefined when that is so. Items
   * that come earlier wait in memory, and few find room there.
   */
  whenOpen(): Promise<void> | undefined;
  /** Resolves when every accepted item would survive the process; undefined when that is so, or cannot be had. */
  whenDurable(): Promise<void> | undefined;
  /** Releases resources such as files. No call follows. */
  close(): Promise<void> | void;
}
