// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../check/decision.ts";
import { type DocumentRef, quotaPolicyRef } from "../check/document-ref.ts";
import type { QuotaCharge, QuotaOutcome, StoreFailure } from "../quota/quota-charge.ts";
import { lessExact, type QuotaState, stateOfFailure } from "../quota/quota-state.ts";
import { fallsShort, refusalOf } from "../quota/refusal.ts";
import { quotaOfStanding, type QuotaStanding, standingOf } from "../quota/standing.ts";
import type { Verdict, VerdictOutcome } from "./verdict.ts";
import { outcomeOfDecision, outcomeOfRefusal } from "./verdict-outcome.ts";

/** The facts that a request's quotas add to its verdict, besides a refusal. */
export interface QuotaFacts {
  readonly quotas: readonly QuotaStanding[];
  /** Quotas in shadow mode that would have refused. */
  readonly shadowQuotas: readonly DocumentRef[];
  readonly failure?: StoreFailure | undefined;
  readonly state?: QuotaState | undefined;
}

const NO_OPERATIONS: Verdict["requestHeaders"] = [];

export const NO_QUOTA_FACTS: QuotaFacts = { quotas: [], shadowQuotas: [] };

/**
 * The verdict on a request whose quotas have been charged.
 *
 * @param outcomes One for each of the decision's charges, in order.
 */
export function verdictOf(decision: Decision, outcomes: readonly QuotaOutcome[]): Verdict {
  const { charges } = decision;
  const facts = factsOf(charges, outcomes);
  const refusal = refusalOf(charges, outcomes);
  return refusal === undefined
    ? verdictOfDecision(decision, facts)
    : refusedVerdict(decision, outcomeOfRefusal(refusal), facts);
}

/** The verdict of a decision whose quotas, if any, are granted. */
export function verdictOfDecision(decision: Decision, facts: QuotaFacts): Verdict {
  const { requestHeaders, responseHeaders, directResponse, audits } = decision;
  const { quotas, failure, state } = facts;
  return {
    outcome: outcomeOfDecision(decision),
    requestHeaders,
    responseHeaders,
    directResponse,
    quotas,
    shadowDenials: shadowDenialsOf(decision, facts),
    audits,
    quotaState: state,
    failure,
  };
}

/**
 * The verdict when a quota, or a failure of its store, refuses an allowed request: its header changes no
 * longer apply.
 */
export function refusedVerdict(decision: Decision, outcome: VerdictOutcome, facts: QuotaFacts): Verdict {
  const { quotas, failure, state } = facts;
  return {
    outcome,
    requestHeaders: NO_OPERATIONS,
    responseHeaders: NO_OPERATIONS,
    directResponse: undefined,
    quotas,
    shadowDenials: shadowDenialsOf(decision, facts),
    audits: decision.audits,
    quotaState: state,
    failure,
  };
}

/** A verdict without a decision. */
export function undecidedVerdict(
  outcome: VerdictOutcome,
  failure?: StoreFailure,
  quotaState?: QuotaState,
): Verdict {
  return {
    outcome,
    requestHeaders: [],
    responseHeaders: [],
    directResponse: undefined,
    quotas: [],
    shadowDenials: [],
    audits: [],
    quotaState,
    failure,
  };
}

function factsOf(charges: readonly QuotaCharge[], outcomes: readonly QuotaOutcome[]): QuotaFacts {
  const quotas: QuotaStanding[] = [];
  const shadowQuotas: DocumentRef[] = [];
  let failure: StoreFailure | undefined;
  let state: QuotaState | undefined;
  for (const [index, charge] of charges.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) continue;
    if (charge.mode === "shadow") {
      if (fallsShort(charge.amount, outcome)) shadowQuotas.push(quotaPolicyRef(charge.policy));
    } else if (outcome.failure === undefined) {
      state = lessExact(state, "exact");
      if (charge.hidden === undefined) quotas.push(standingOf(quotaOfStanding(charge), outcome));
    } else {
      state = lessExact(state, stateOfFailure(outcome.failure));
      failure ??= outcome.failure;
    }
  }
  return { quotas, shadowQuotas, failure, state };
}

function shadowDenialsOf({ shadowDenials }: Decision, { shadowQuotas }: QuotaFacts): readonly DocumentRef[] {
  return shadowQuotas.length === 0 ? shadowDenials : [...shadowDenials, ...shadowQuotas];
}
