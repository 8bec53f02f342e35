// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../kernel/deadline.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Batch } from "./batch.ts";

/**
 * Hands one batch over, within the call's deadline. Returning means that the receiver has it. An error decides what
 * becomes of the batch (`next-step.ts`): PURSER_REQUEST_TOO_LARGE has it sent in halves, a retryable PurserError has the
 * same batch tried again, any other error drops it.
 */
export type Sender<T> = (batch: Batch<T>, call: CallContext) => MaybePromise<void>;
