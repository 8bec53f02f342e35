// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome } from "./quota-charge.ts";

/** The state of a quota, as its client may know it. */
export interface QuotaStanding extends Pick<QuotaCharge, "policy" | "limit" | "windowMs"> {
  /** 0 or more. */
  readonly remaining: number;
  /** Time until the whole limit is available, in milliseconds. */
  readonly resetMs: number;
}

/** The state of a charge's quota after the charge. */
export function standingOf(
  { policy, limit, windowMs }: Pick<QuotaCharge, "policy" | "limit" | "windowMs">,
  { remaining, resetMs }: Pick<QuotaOutcome, "remaining" | "resetMs">,
): QuotaStanding {
  return { policy, limit, windowMs, remaining: Math.max(0, remaining), resetMs };
}
