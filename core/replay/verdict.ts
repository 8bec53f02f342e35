// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../check/decision.ts";
import { formatDocumentRef, parseDocumentRef } from "../check/document-ref.ts";
import type { StatusCode } from "../../kernel/status.ts";
import type { DecisionLogLine } from "./log-line.ts";

/** What access policies and rules said of a request, quotas aside. */
export interface Verdict {
  /** `fault`: it was refused because something could not be decided. */
  readonly kind: "allowed" | "denied" | "fault";
  readonly code: StatusCode;
  /** The document that refused, as Kind/name. */
  readonly policy?: string;
  readonly message?: string;
}

export const CHANGES = ["newly-denied", "newly-allowed", "other-status", "faults", "fixed-faults"] as const;

/** How a verdict differs from the one before. */
export type Change = (typeof CHANGES)[number];

const ALLOWED: Verdict = { kind: "allowed", code: "OK" };

export function verdictOf({ status, reason, decidedBy }: Decision): Verdict {
  if (status.code === "OK") return ALLOWED;
  return {
    kind: reason?.kind === "error" ? "fault" : "denied",
    code: status.code,
    ...(decidedBy === undefined ? {} : { policy: formatDocumentRef(decidedBy) }),
    message: reason?.kind === "error" ? `${status.message}: ${reason.detail}` : status.message,
  };
}

/** Whether a quota refused the request: then its policies had allowed it. */
export function isQuotaRefusal({ code, policy }: DecisionLogLine["decision"]): boolean {
  return code === "RESOURCE_EXHAUSTED" && parseDocumentRef(policy ?? "")?.kind === "QuotaPolicy";
}

export function recordedVerdict(decision: DecisionLogLine["decision"]): Verdict {
  if (decision.allowed || isQuotaRefusal(decision)) return ALLOWED;
  const { code, policy, message } = decision;
  return {
    // The log does not tell an error from a policy that refuses with an error's status.
    kind: code === "INTERNAL" || code === "UNAVAILABLE" ? "fault" : "denied",
    code,
    ...(policy === undefined ? {} : { policy }),
    ...(message === undefined ? {} : { message }),
  };
}

/** Undefined when the client would see the same status. */
export function changeBetween(before: Verdict, after: Verdict): Change | undefined {
  if (before.code === after.code) return undefined;
  if (after.kind === "fault") return before.kind === "fault" ? "other-status" : "faults";
  if (before.kind === "fault") return "fixed-faults";
  if (after.kind === "allowed") return "newly-allowed";
  return before.kind === "allowed" ? "newly-denied" : "other-status";
}
