// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../check/decision.ts";
import { formatDocumentRef, parseDocumentRef } from "../check/document-ref.ts";
import type { StatusCode } from "../../kernel/status.ts";
import { outcomeOfDecision } from "../verdict/verdict-outcome.ts";
import type { Change } from "./change-names.ts";
import type { DecisionLogLine } from "./log-line.ts";

/** The outcome of access policies and rules for a request, without quotas, for comparison in replays. */
export interface RequestOutcome {
  /** `fault`: refused because a document could not be evaluated. */
  readonly kind: "allowed" | "denied" | "fault";
  readonly code: StatusCode;
  /** The document that refused, as Kind/name. */
  readonly policy?: string;
  readonly message?: string;
}

const ALLOWED_OUTCOME: RequestOutcome = { kind: "allowed", code: "OK" };

export function requestOutcomeOf(decision: Decision): RequestOutcome {
  const outcome = outcomeOfDecision(decision);
  if (outcome.kind === "allow") return ALLOWED_OUTCOME;
  const { status, decidedBy } = outcome;
  const { reason } = decision;
  return {
    kind: outcome.kind === "error" ? "fault" : "denied",
    code: status.code,
    ...(decidedBy === undefined ? {} : { policy: formatDocumentRef(decidedBy) }),
    message: reason?.kind === "error" ? `${status.message}: ${reason.detail}` : status.message,
  };
}

/** Whether a quota refused the request, which means that the policies had allowed it. */
export function isQuotaRefusal({ code, policy }: DecisionLogLine["decision"]): boolean {
  return code === "RESOURCE_EXHAUSTED" && parseDocumentRef(policy ?? "")?.kind === "QuotaPolicy";
}

export function recordedOutcome(decision: DecisionLogLine["decision"]): RequestOutcome {
  if (decision.allowed || isQuotaRefusal(decision)) return ALLOWED_OUTCOME;
  const { code, policy, message } = decision;
  return {
    // The log does not distinguish an error from a policy that refuses with an error's status.
    kind: code === "INTERNAL" || code === "UNAVAILABLE" ? "fault" : "denied",
    code,
    ...(policy === undefined ? {} : { policy }),
    ...(message === undefined ? {} : { message }),
  };
}

/** undefined when the client would see the same status. */
export function changeBetween(before: RequestOutcome, after: RequestOutcome): Change | undefined {
  if (before.code === after.code) return undefined;
  if (after.kind === "fault") return before.kind === "fault" ? "other-status" : "faults";
  if (before.kind === "fault") return "fixed-faults";
  if (after.kind === "allowed") return "newly-allowed";
  return before.kind === "allowed" ? "newly-denied" : "other-status";
}
