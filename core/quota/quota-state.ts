// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StoreFailure } from "./quota-charge.ts";

/**
 * Ways in which the quotas of a request are counted, from the most exact to the least: `exact` by their
 * store, for this request alone; `leased` against an amount that the store granted ahead of need; `local` on
 * this node against its share of the limit, while the store or the mixer is away; `allowed-uncounted` not at
 * all, by `onStoreFailure: allow`.
 */
export const QUOTA_STATES = ["exact", "leased", "local", "allowed-uncounted"] as const;
export type QuotaState = (typeof QUOTA_STATES)[number];

/** The less exact of two states: the state of a request that has quotas in both. */
export function lessExact(a: QuotaState | undefined, b: QuotaState | undefined): QuotaState | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return QUOTA_STATES.indexOf(a) < QUOTA_STATES.indexOf(b) ? b : a;
}

/** The state of a quota whose store failed; undefined when it refuses, since nothing was counted or allowed. */
export function stateOfFailure({ applied }: Pick<StoreFailure, "applied">): QuotaState | undefined {
  switch (applied) {
    case "local":
      return "local";
    case "allow":
      return "allowed-uncounted";
    case "deny":
      return undefined;
  }
}
