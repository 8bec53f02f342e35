// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RefusalReason } from "../attributes/added-attributes.ts";
import type { EnforcementMode } from "../../kernel/enforcement-mode.ts";
import type { DecisionReason } from "../check/decision.ts";
import type { BeyondStep, QuotaCharge } from "../quota/quota-charge.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import type { DocumentOutcome } from "../check/ports.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { Status } from "../../kernel/status.ts";
import type { HeaderOperation } from "../templates/instances.ts";
import { DEFAULT_TRACE_LIMITS, type TraceLimits, type TraceNode } from "./trace-node.ts";

/**
 * The explanation of a decision: plain JSON, bounded in size, without secrets. docs/guides/explain.md describes it.
 */
export interface Explanation {
  /** The time of $now(), in milliseconds since the epoch. */
  readonly nowMs: number;
  readonly decision: ExplainedDecision;
  /** The documents that decide requests, in document order, whether or not they match this request. */
  readonly documents: readonly DocumentExplanation[];
  /** Number of documents omitted because of the limit; documents that were evaluated are kept first. */
  readonly omittedDocuments?: number;
  /** Attributes of plugins that were left out, each once. */
  readonly refusedAttributes?: readonly RefusedAddition[];
  /** The handlers in the documents' `unasked`, each once. */
  readonly unaskedHandlers?: readonly UnaskedHandler[];
}

/** A handler that was not called where the explanation was made, or could not answer there. */
export interface UnaskedHandler {
  readonly handler: string;
  /** For people: `it is an adapter, and no backend is called here`. */
  readonly reason: string;
}

/** An attribute that a plugin's handler added, and that was left out. */
export interface RefusedAddition {
  readonly handler: string;
  readonly name: string;
  /** `undeclared`, or `type`: the value has another type than declared. */
  readonly reason: RefusalReason;
  readonly detail: string;
}

/** The parts of a decision that concern the request itself. */
export interface ExplainedDecision {
  readonly status: Status;
  readonly httpStatus: number;
  readonly reason?: DecisionReason;
  readonly decidedBy?: DocumentRef;
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly shadowDenials: readonly DocumentRef[];
  readonly audits: readonly DocumentRef[];
  readonly charges: readonly ExplainedCharge[];
}

/** A quota that the request uses; stores have not counted it. `windowMs` is 0 for a quota without a window. */
export interface ExplainedCharge
  extends Pick<QuotaCharge, "policy" | "cell" | "limit" | "windowMs" | "unit" | "amount" | "mode"> {
  /** The steps that the request takes if the limit refuses it, in order; absent: it is refused. */
  readonly beyond?: readonly ExplainedStep[];
}

export type ExplainedStep =
  | Exclude<BeyondStep, { readonly kind: "draw" }>
  | { readonly kind: "draw"; readonly charge: Omit<ExplainedCharge, "beyond"> };

export interface DocumentExplanation extends DocumentRef {
  readonly location: SourceLocation;
  /** Only for an AccessPolicy. */
  readonly action?: "DENY" | "ALLOW" | "AUDIT";
  readonly mode: EnforcementMode;
  /** `not-asked`: the request was decided before its turn came. */
  readonly outcome: DocumentOutcome | "not-asked";
  /**
   * Set on the deciding document: it refused the request, or was the first to allow it where an ALLOW was
   * needed.
   */
  readonly decides?: true;
  readonly faults: readonly { readonly code: ErrorCode; readonly detail: string }[];
  /** The evaluated expressions, in order of evaluation. */
  readonly expressions: readonly ExpressionExplanation[];
  /** A Rule's handlers that did not answer; `unaskedHandlers` has the reasons. */
  readonly unasked?: readonly string[];
}

export interface ExpressionExplanation {
  /** Path in the document's spec: `when`, `overrides[0].when`. */
  readonly field: string;
  readonly source: string;
  /** The value as JSON text; `nothing` for no value; absent when the expression failed. */
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
   * Sub-expressions of all documents together; default 5000. The deciding document comes first, then document
   * order; expressions beyond the limit have only their value.
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
