// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import { isPromise, type MaybePromise } from "../kernel/maybe-promise.ts";

/** Runs a call, or refuses it when the limit is reached. Synchronous when the call is; throws what it throws. */
export type ConcurrencyLimit = (call: () => MaybePromise<void>) => MaybePromise<void>;

/**
 * Allows `limit` concurrent calls and refuses further ones at once, with PURSER_OVERLOADED. A call counts
 * once its whole request has arrived: a slow client occupies no slot.
 */
export function concurrencyLimit(limit: number): ConcurrencyLimit {
  let underWay = 0;
  const release = (): void => {
    underWay -= 1;
  };
  return (call) => {
    if (underWay >= limit) {
      throw new PurserError("PURSER_OVERLOADED", `${limit} requests are under way already`);
    }
    underWay += 1;
    let isPending = false;
    try {
      const result = call();
      if (!isPromise(result)) return;
      isPending = true;
      return result.finally(release);
    } finally {
      if (!isPending) release();
    }
  };
}
