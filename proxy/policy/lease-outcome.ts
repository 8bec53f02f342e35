// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STORE_RETRY_AFTER_MS } from "../../core/quota/charge-all.ts";
import type { QuotaOutcome, SingleCharge } from "../../core/quota/quota-charge.ts";
import { lessExact, type QuotaState, stateOfFailure } from "../../core/quota/quota-state.ts";
import type { QuotaFacts } from "../../core/verdict/verdict-of.ts";
import type { ChargeResult } from "./leases/lease-pool.ts";

export type LeaseOutcome = Pick<QuotaOutcome, "granted" | "retryAfterMs" | "failure" | "blocked">;

/**
 * A charge's result as a mixer would report it. A charge that is to be counted locally passes as granted
 * until then.
 */
export function leaseOutcomeOf(result: ChargeResult, charge: SingleCharge): LeaseOutcome {
  switch (result.kind) {
    case "taken":
      return { granted: charge.amount, retryAfterMs: 0 };
    case "refused": {
      const refused = { granted: 0, retryAfterMs: result.retryAfterMs };
      return result.blocked === true ? { ...refused, blocked: true } : refused;
    }
    case "withdrawn":
    case "stale":
      return { granted: 0, retryAfterMs: 0 };
    case "failed": {
      const { code, applied = charge.onStoreFailure } = result;
      const failure = { code, applied };
      return applied === "deny"
        ? { granted: 0, retryAfterMs: STORE_RETRY_AFTER_MS, failure }
        : { granted: charge.amount, retryAfterMs: 0, failure };
    }
  }
}

/** Charges without a lease are counted by their store for each request. */
export function stateOfCharges(charges: readonly SingleCharge[]): QuotaState | undefined {
  if (charges.length === 0) return undefined;
  return charges.some(({ leaseMs }) => leaseMs > 0) ? "leased" : "exact";
}

/** The failure of a request's charges, and how they are counted in spite of it. */
export type QuotaFailure = Required<Pick<QuotaFacts, "failure" | "state">>;

/** @param counted The state of the charges that did not fail. */
export function failureOf(
  outcomes: readonly LeaseOutcome[],
  counted: QuotaState | undefined,
): QuotaFailure | undefined {
  let failure: QuotaFacts["failure"];
  let state: QuotaState | undefined;
  for (const outcome of outcomes) {
    if (outcome.failure === undefined) state = lessExact(state, counted);
    else {
      failure ??= outcome.failure;
      state = lessExact(state, stateOfFailure(outcome.failure));
    }
  }
  return failure === undefined ? undefined : { failure, state };
}

/** The charges that failed with `onStoreFailure: local` and that the mixer has not counted. */
export function uncountedCharges<C>(
  charges: readonly C[],
  results: readonly ChargeResult[],
  outcomes: readonly LeaseOutcome[],
): readonly C[] {
  return charges.filter((_, index) => {
    const result = results[index];
    return (
      result?.kind === "failed" &&
      result.applied === undefined &&
      outcomes[index]?.failure?.applied === "local"
    );
  });
}
