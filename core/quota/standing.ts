// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome } from "./quota-charge.ts";

/** How a quota stands, as its client may know it. */
export interface QuotaStanding extends Pick<QuotaCharge, "policy" | "limit" | "windowMs"> {
  /** 0 or more. */
  readonly remaining: number;
  /** Until the count is whole again, in milliseconds. */
  readonly resetMs: number;
}

/** How a charge's quota stands after the charge. */
export function standingOf(
  { policy, limit, windowMs }: Pick<QuotaCharge, "policy" | "limit" | "windowMs">,
  { remaining, resetMs }: Pick<QuotaOutcome, "remaining" | "resetMs">,
): QuotaStanding {
  return { policy, limit, windowMs, remaining: Math.max(0, remaining), resetMs };
}
