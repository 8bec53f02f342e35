// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";

/** Runs a call when there is room for it. */
export type ConcurrencyLimit = (call: () => Promise<void>) => Promise<void>;

/**
 * Lets `limit` calls be under way at once and refuses further calls at once, with PURSER_OVERLOADED. A call counts from
 * when all of its request has arrived: a client that sends slowly takes no place.
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
