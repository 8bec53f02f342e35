// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { DecisionReason } from "../check/decision.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import type { DocumentOutcome } from "../check/ports.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { Status } from "../../kernel/status.ts";
import type { HeaderOperation } from "../templates/instances.ts";
import { DEFAULT_TRACE_LIMITS, type TraceLimits, type TraceNode } from "./trace-node.ts";

/**
 * Why a request is decided as it is: plain JSON, bounded in size, without secrets. docs/explain.md describes it for
 * those who read it elsewhere.
 */
export interface Explanation {
  /** The time that $now() gave, in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly decision: ExplainedDecision;
  /** The documents that decide requests, in document order, whether or not they govern this one. */
  readonly documents: readonly DocumentExplanation[];
  /** How many documents were left out because there are more than the limit; those that were asked come first. */
  readonly omittedDocuments?: number;
}

/** What of a decision concerns the request itself. */
export interface ExplainedDecision {
  readonly status: Status;
  readonly httpStatus: number;
  readonly reason?: DecisionReason;
  readonly decidedBy?: DocumentRef;
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly shadowDenials: readonly DocumentRef[];
  readonly audits: readonly DocumentRef[];
  readonly charges: readonly Pick<
    QuotaCharge,
    "policy" | "cell" | "limit" | "windowMs" | "amount" | "mode"
  >[];
}

export interface DocumentExplanation extends DocumentRef {
  readonly location: SourceLocation;
  /** An AccessPolicy's. */
  readonly action?: "DENY" | "ALLOW" | "AUDIT";
  readonly mode: EnforcementMode;
  /** `not-asked`: the request was decided before its turn came. */
  readonly outcome: DocumentOutcome | "not-asked";
  /** It made the decision: refused the request, or was the first to allow it where one had to. */
  readonly decides?: true;
  readonly faults: readonly { readonly code: ErrorCode; readonly detail: string }[];
  /** Those that were evaluated, in the order in which they were. */
  readonly expressions: readonly ExpressionExplanation[];
  /** A Rule's handlers that were not asked, since they are not running where the explanation was made. */
  readonly unasked?: readonly string[];
}

export interface ExpressionExplanation {
  /** Where it stands in the document's spec: `when`, `overrides[0].when`. */
  readonly field: string;
  readonly source: string;
  /** As JSON text; `nothing` for no value; absent when it failed. */
  readonly value?: string;
  readonly error?: string;
  readonly trace: TraceNode;
}

export interface ExplanationLimits extends TraceLimits {
  /** Documents with their expressions; default 200. */
  readonly documents: number;
  /** Expressions of one document; default 50. */
  readonly expressions: number;
  /**
   * Sub-expressions of all documents together; default 5000. The deciding document's come first, then in document order;
   * beyond it an expression has its value alone.
   */
  readonly allNodes: number;
  /** Characters of one expression's source; default 4000. */
  readonly sourceLength: number;
}

export const DEFAULT_EXPLANATION_LIMITS: ExplanationLimits = {
  ...DEFAULT_TRACE_LIMITS,
  documents: 200,
  expressions: 50,
  allNodes: 5_000,
  sourceLength: 4_000,
};
