// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../kernel/deadline.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Batch } from "./batch.ts";

/**
 * Sends one batch within the call's deadline; returns when the receiver has accepted it, or the items that it
 * refused. A thrown error decides the next step of the whole batch (`next-step.ts`): PURSER_REQUEST_TOO_LARGE
 * halves it, a retryable PurserError retries it, any other error drops it.
 */
export type Sender<T> = (batch: Batch<T>, call: CallContext) => MaybePromise<SendOutcome>;

/** The items that a receiver refused of a batch whose other items it accepted; nothing when it accepted all. */
export type SendOutcome = void | { readonly refused: readonly RefusedItem[] };

export interface RefusedItem {
  /** Position in the batch. */
  readonly index: number;
  /** Decides the item's next step, as that of a batch. */
  readonly error: unknown;
}
