// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";

/** Sample charges and outcomes for tests of their consumers. */

/** A charge of 1 against a limit of 2 per minute. */
export function charge(policy: string, fields: Partial<QuotaCharge> = {}): QuotaCharge {
  return {
    policy,
    cell: `${policy}{}`,
    algorithm: "fixed-window",
    limit: 2,
    windowMs: 60_000,
    amount: 1,
    leaseMs: 0,
    mode: "enforce",
    onStoreFailure: "deny",
    message: `quota ${policy} is used up`,
    ...fields,
  };
}

/** The outcome of a fully granted charge. */
export function outcome(policy: string, fields: Partial<QuotaOutcome> = {}): QuotaOutcome {
  return {
    policy,
    cell: `${policy}{}`,
    granted: 1,
    remaining: 1,
    resetMs: 60_000,
    retryAfterMs: 0,
    validForMs: 0,
    slot: 0,
    ...fields,
  };
}
