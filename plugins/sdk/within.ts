// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AbortSignalLike } from "../../kernel/deadline.ts";
import { PurserError } from "../../kernel/errors.ts";

/**
 * The outcome of `work`, for work that cannot be cancelled: it continues after the signal, and its outcome is ignored then.
 *
 * @throws PurserError PURSER_HANDLER_TIMEOUT, retryable, with this message when the signal aborts first.
 */
export function within<T>(work: Promise<T>, signal: AbortSignalLike, message: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new PurserError("PURSER_HANDLER_TIMEOUT", message));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
