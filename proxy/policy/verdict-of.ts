// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../../core/check/decision.ts";
import type { DocumentRef } from "../../core/check/document-ref.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { StatusCode } from "../../kernel/status.ts";
import type { QuotaCharge } from "../../core/quota/quota-charge.ts";
import type { QuotaRefusal } from "../../core/quota/refusal.ts";
import type { QuotaStanding } from "../../core/quota/rate-limit-fields.ts";
import type { Verdict } from "./verdict.ts";

/** What a verdict says besides its outcome and the decision it comes from. */
export interface VerdictFacts {
  readonly checkCacheHit: boolean;
  readonly quotaCacheHit: boolean;
  readonly quotas: readonly QuotaStanding[];
  /** Quotas in shadow mode that would have refused. */
  readonly shadowQuotas: readonly DocumentRef[];
  readonly failure?: NonNullable<Verdict["failure"]>;
}

export const NO_FACTS: VerdictFacts = {
  checkCacheHit: false,
  quotaCacheHit: false,
  quotas: [],
  shadowQuotas: [],
};

export type Outcome = Verdict["outcome"];
type Failure = NonNullable<Verdict["failure"]>;

const ALLOW: Outcome = { kind: "allow" };

/** The verdict of a decision whose quotas, if it has any, are granted. */
export function verdictOf(decision: Decision, facts: VerdictFacts): Verdict {
  const { requestHeaders, responseHeaders, directResponse, audits } = decision;
  return {
    outcome: outcomeOf(decision),
    requestHeaders,
    responseHeaders,
    ...(directResponse === undefined ? {} : { directResponse }),
    shadowDenials: shadowDenialsOf(decision, facts),
    audits,
    ...common(facts),
  };
}

/** The verdict when a quota, or its store's failure, refuses what the decision allows. */
export function refusedVerdict(decision: Decision, outcome: Outcome, facts: VerdictFacts): Verdict {
  // What documents wanted for a request that goes on is void now.
  return {
    ...undecidedVerdict(outcome, facts),
    shadowDenials: shadowDenialsOf(decision, facts),
    audits: decision.audits,
  };
}

/** A verdict without a decision. */
export function undecidedVerdict(outcome: Outcome, facts: VerdictFacts): Verdict {
  return {
    outcome,
    requestHeaders: [],
    responseHeaders: [],
    shadowDenials: facts.shadowQuotas,
    audits: [],
    ...common(facts),
  };
}

export function allowed(): Outcome {
  return ALLOW;
}

/** Nobody could decide, and that means no. `decidedBy` is the document that says so. */
export function failed(code: ErrorCode, decidedBy: DocumentRef | undefined): Outcome {
  const status: StatusCode =
    code === "PURSER_EXPR_EVALUATION" || code === "PURSER_INTERNAL" ? "INTERNAL" : "UNAVAILABLE";
  // What failed is for the logs, not for the client.
  const message = `${decidedBy?.name ?? "the request"} could not be decided`;
  return { kind: "error", status: { code: status, message }, code, decidedBy };
}

export function limited(policy: string, message: string, retryAfterMs: number): Outcome {
  return {
    kind: "limit",
    status: { code: "RESOURCE_EXHAUSTED", message },
    decidedBy: quotaRef(policy),
    retryAfterMs: Math.ceil(retryAfterMs),
  };
}

/** What a quota's refusal means: an error where nobody could count, else a used-up quota. */
export function outcomeOfRefusal({
  charge: { policy, message },
  retryAfterMs,
  failure,
}: QuotaRefusal<Pick<QuotaCharge, "policy" | "message">>): Outcome {
  return failure === undefined
    ? limited(policy, message, retryAfterMs)
    : failed(failure.code, quotaRef(policy));
}

export function quotaRef(policy: string): DocumentRef {
  return { kind: "QuotaPolicy", name: policy };
}

export function failureOf(code: ErrorCode, applied: Failure["applied"]): Failure {
  return { code, applied };
}

function outcomeOf({ status, reason, decidedBy }: Decision): Outcome {
  if (reason?.kind === "error") return { kind: "error", status, code: reason.code, decidedBy };
  if (status.code === "OK") return ALLOW;
  // A refusal that names nobody is none of the documents': it must not pass for a policy's.
  return decidedBy === undefined
    ? { kind: "error", status, code: "PURSER_INTERNAL", decidedBy }
    : { kind: "deny", status, decidedBy };
}

function shadowDenialsOf(
  { shadowDenials }: Decision,
  { shadowQuotas }: VerdictFacts,
): readonly DocumentRef[] {
  return shadowQuotas.length === 0 ? shadowDenials : [...shadowDenials, ...shadowQuotas];
}

function common({ quotas, checkCacheHit, quotaCacheHit, failure }: VerdictFacts) {
  return { quotas, checkCacheHit, quotaCacheHit, ...(failure === undefined ? {} : { failure }) };
}
