// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeriodBounds } from "./period/calendar.ts";
import type { QuotaRequest } from "./quota.ts";

/**
 * Every store calls this before it counts: numbers that are not whole would make the arithmetic inexact.
 *
 * @throws RangeError for a request that breaks the contract, which is a defect of the caller.
 */
export function assertQuotaRequests(requests: readonly QuotaRequest[]): void {
  for (const { cell, algorithm, limit, windowMs, amount, leaseMs, slot, period } of requests) {
    if (!(Number.isSafeInteger(limit) && limit >= 0)) fail(cell, "limit", limit, "a whole number from 0");
    if (!(Number.isSafeInteger(windowMs) && (windowMs >= 1 || algorithm === "allocation")))
      fail(cell, "windowMs", windowMs, "a whole number from 1");
    if (period !== undefined) assertBounds(cell, period);
    if (!Number.isSafeInteger(amount)) fail(cell, "amount", amount, "a whole number");
    if (!(Number.isSafeInteger(leaseMs) && leaseMs >= 0))
      fail(cell, "leaseMs", leaseMs, "a whole number from 0");
    if (slot !== undefined && !Number.isSafeInteger(slot)) fail(cell, "slot", slot, "a whole number");
  }
}

function assertBounds(cell: string, bounds: PeriodBounds): void {
  const { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs } = bounds;
  const instants = { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs };
  let before = -1;
  for (const [name, instantMs] of Object.entries(instants)) {
    if (!(Number.isSafeInteger(instantMs) && instantMs > before))
      fail(cell, `period.${name}`, instantMs, `a whole number above ${before}`);
    before = instantMs;
  }
}

function fail(cell: string, field: string, value: number, expected: string): never {
  throw new RangeError(`quota request for ${JSON.stringify(cell)}: ${field} is ${value}, not ${expected}`);
}
