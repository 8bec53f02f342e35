// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "./batch.ts";

/** Maximum content of a batch. A limit in bytes would be added here. */
export interface BatchLimit {
  readonly items: number;
}

/** Items that wait for their first try, in order. */
export interface DeliveryQueue<T> {
  /**
   * Whether items survive this process until they are acknowledged, including taken ones: a queue on disk
   * returns them after a restart. In a queue that is not durable, the items left at the close are dropped.
   */
  readonly durable: boolean;
  /** Number of waiting items, without taken ones. */
  readonly size: number;
  /** Whether the waiting items fill a batch. */
  fills(limit: BatchLimit): boolean;
  put(item: T): void;
  /** Takes the oldest waiting items, up to the limit; undefined when none waits. */
  take(limit: BatchLimit): Batch<T> | undefined;
  /** The items were delivered, or dropped and counted: the queue need not keep them. */
  acknowledge(items: readonly T[]): void;
  /** Releases resources such as files. No call follows. */
  close(): void;
}
