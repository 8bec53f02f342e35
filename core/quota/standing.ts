// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome, SingleCharge } from "./quota-charge.ts";

/** The part of a quota that is the same in every response. */
export type QuotaOfStanding = Pick<QuotaCharge, "policy" | "limit" | "windowMs"> & {
  readonly unit?: NonNullable<QuotaCharge["unit"]>;
};

export function quotaOfStanding({ policy, limit, algorithm, windowMs, unit }: SingleCharge): QuotaOfStanding {
  // The window of concurrency is the life of a slot that nobody renews, which is not for clients.
  const quota = { policy, limit, windowMs: algorithm === "concurrency" ? 0 : windowMs };
  return unit === undefined ? quota : { ...quota, unit };
}

/** The state of a quota, as its client may know it. */
export interface QuotaStanding extends QuotaOfStanding {
  /** 0 or more. */
  readonly remaining: number;
  /** Time until the whole limit is available, in milliseconds. */
  readonly resetMs: number;
}

/** The state of a charge's quota after the charge. */
export function standingOf(
  { policy, limit, windowMs, unit }: QuotaOfStanding,
  { remaining, resetMs }: Pick<QuotaOutcome, "remaining" | "resetMs">,
): QuotaStanding {
  // More than the limit remains of a count whose limit an operator has raised.
  const left = Math.min(limit, Math.max(0, remaining));
  const standing = { policy, limit, windowMs, remaining: left, resetMs };
  return unit === undefined ? standing : { ...standing, unit };
}
