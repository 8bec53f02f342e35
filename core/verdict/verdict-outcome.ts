// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { httpStatusOf, type Status } from "../../kernel/status.ts";
import type { Decision } from "../check/decision.ts";
import { type DocumentRef, quotaPolicyRef } from "../check/document-ref.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { QuotaRefusal } from "../quota/refusal.ts";
import type { VerdictOutcome } from "./verdict.ts";

export const ALLOWED: VerdictOutcome = { kind: "allow" };

/** The outcome of a decision, without its quotas. */
export function outcomeOfDecision({ status, reason, decidedBy }: Decision): VerdictOutcome {
  if (reason?.kind === "error")
    return { kind: "error", status: errorStatus(status), code: reason.code, decidedBy };
  if (status.code === "OK") return ALLOWED;
  // A refusal without a document is an internal error: it must not look like a policy's refusal.
  return decidedBy === undefined
    ? undecidedOutcome("PURSER_INTERNAL", undefined)
    : { kind: "deny", status, decidedBy };
}

/** The outcome of a quota's refusal: an error when its store failed, otherwise an exceeded quota. */
export function outcomeOfRefusal({
  charge: { policy, message },
  retryAfterMs,
  failure,
}: QuotaRefusal<Pick<QuotaCharge, "policy" | "message">>): VerdictOutcome {
  const decidedBy = quotaPolicyRef(policy);
  if (failure !== undefined) return undecidedOutcome(failure.code, decidedBy);
  return { kind: "limit", status: { code: "RESOURCE_EXHAUSTED", message }, decidedBy, retryAfterMs };
}

/**
 * The outcome when no decision was possible, which refuses. `decidedBy` is the document whose failure policy
 * refuses, if any.
 */
export function undecidedOutcome(code: ErrorCode, decidedBy: DocumentRef | undefined): VerdictOutcome {
  const isInternal = code === "PURSER_EXPR_EVALUATION" || code === "PURSER_INTERNAL";
  // The cause is for the logs, not for the client.
  const message = `${decidedBy?.name ?? "the request"} could not be decided`;
  return {
    kind: "error",
    status: { code: isInternal ? "INTERNAL" : "UNAVAILABLE", message },
    code,
    decidedBy,
  };
}

/** An error must not look like a denial, but a malformed request (INVALID_ARGUMENT) is the client's error. */
function errorStatus(status: Status): Status {
  if (httpStatusOf(status.code) >= 500 || status.code === "INVALID_ARGUMENT") return status;
  return { ...status, code: "UNAVAILABLE" };
}
