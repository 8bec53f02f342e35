// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../kernel/deadline.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Batch } from "./batch.ts";

/**
 * Sends one batch within the call's deadline; returns when the receiver has accepted it. A thrown error
 * decides the next step (`next-step.ts`): PURSER_REQUEST_TOO_LARGE halves the batch, a retryable PurserError
 * retries the same batch, any other error drops it.
 */
export type Sender<T> = (batch: Batch<T>, call: CallContext) => MaybePromise<void>;
