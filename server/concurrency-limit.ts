// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";

/** Runs a call, or refuses it when the limit is reached. */
export type ConcurrencyLimit = (call: () => Promise<void>) => Promise<void>;

/**
 * Allows `limit` concurrent calls and refuses further ones at once, with PURSER_OVERLOADED. A call counts
 * once its whole request has arrived: a slow client occupies no slot.
 */
export function concurrencyLimit(limit: number): ConcurrencyLimit {
  let underWay = 0;
  return async (call) => {
    if (underWay >= limit) {
      throw new PurserError("PURSER_OVERLOADED", `${limit} requests are under way already`);
    }
    underWay += 1;
    try {
      await call();
    } finally {
      underWay -= 1;
    }
  };
}
