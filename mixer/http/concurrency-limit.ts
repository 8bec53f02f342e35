// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Middleware } from "koa";
import { PurserError } from "../../core/kernel/errors.ts";

/** Lets `limit` requests be under way at once; those beyond are refused at once rather than made to wait. */
export function concurrencyLimit(limit: number): Middleware {
  let underWay = 0;
  return async (_context, next) => {
    if (underWay >= limit) {
      throw new PurserError("PURSER_OVERLOADED", `the mixer has ${limit} requests under way already`);
    }
    underWay += 1;
    try {
      await next();
    } finally {
      underWay -= 1;
    }
  };
}
