// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Batch } from "./batch.ts";

/** The most that a batch may hold. Bytes would stand here beside the items. */
export interface BatchLimit {
  readonly items: number;
}

/** Items that wait for their first try, in order. */
export interface DeliveryQueue<T> {
  /**
   * Whether items outlive this process until they are acknowledged, taken ones too: a queue on disk gives them again after
   * a restart. Otherwise the items that are left at the end are dropped.
   */
  readonly durable: boolean;
  /** Items that wait; taken ones are not counted. */
  readonly size: number;
  /** Whether the waiting items fill a batch. */
  fills(limit: BatchLimit): boolean;
  put(item: T): void;
  /** The oldest waiting items, as many as fit; undefined when none waits. */
  take(limit: BatchLimit): Batch<T> | undefined;
  /** The items were delivered, or dropped and counted: they need not be kept. */
  acknowledge(items: readonly T[]): void;
  /** Releases files and the like. Nothing is put or taken afterwards. */
  close(): void;
}
