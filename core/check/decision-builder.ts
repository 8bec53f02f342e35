// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { DirectResponse, HeaderChanges, HeaderOperation } from "../templates/instances.ts";
import type { AccessPolicy, QuotaPolicy, Rule } from "../snapshot/snapshot.ts";
import { OK, type Status } from "../../kernel/status.ts";
import type { Decision, DecisionReason } from "./decision.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import type { DocumentRef } from "./document-ref.ts";
import type { Fault, Scope } from "./evaluation.ts";
import type { Placed } from "./plan.ts";
import type { CheckContext, DocumentOutcome } from "./ports.ts";
import { effectOfError } from "./undecided.ts";
import { DEFAULT_VALID_DURATION_MS, DEFAULT_VALID_USE_COUNT } from "../snapshot/validity.ts";

export interface Refusal {
  readonly status: Status;
  readonly reason: DecisionReason;
  readonly decidedBy: DocumentRef;
  readonly directResponse?: DirectResponse;
}

type Refuser = Placed<AccessPolicy | QuotaPolicy | Rule>;

/** Collects the documents' results for one request, in order, and builds the decision. */
export class DecisionBuilder {
  readonly scope: Scope;
  readonly context: CheckContext;
  readonly shadowDenials: DocumentRef[] = [];
  readonly audits: DocumentRef[] = [];
  charges: QuotaCharge[] = [];
  directResponse: DirectResponse | undefined;
  #refusal: Refusal | undefined;
  #headers: { readonly order: number; readonly changes: HeaderChanges }[] = [];
  #validDurationMs = Number.POSITIVE_INFINITY;
  #validUseCount = Number.POSITIVE_INFINITY;

  constructor(scope: Scope, context: CheckContext) {
    this.scope = scope;
    this.context = context;
  }

  /** The first enforced refusal; later documents cannot change the status. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  refuse(refusal: Refusal, order: number, headers: HeaderChanges | undefined): void {
    this.#refusal = refusal;
    this.directResponse = refusal.directResponse;
    // Changes of earlier documents for a forwarded request no longer apply.
    this.#headers = [];
    this.charges = [];
    if (headers !== undefined) this.change(order, headers);
  }

  /** Records a document in shadow mode that would have refused. */
  refuseInShadow(ref: DocumentRef): void {
    if (!this.shadowDenials.includes(ref)) this.shadowDenials.push(ref);
  }

  /** Records a document that could not be evaluated, and applies its onError. */
  fail({ document, ref, order }: Refuser, fault: Fault): void {
    this.note(ref, fault);
    this.outcome(ref, "fault");
    if (effectOfError(document) === "allow") return;
    if (document.mode === "shadow") this.refuseInShadow(ref);
    else this.refuse(refusalOf(ref, fault), order, undefined);
  }

  /** Records a fault that decides nothing by itself. */
  note(ref: DocumentRef, fault: Fault): void {
    if (!fault.repeatable) this.scope.cacheable = false;
    this.context.observer?.fault(ref, fault);
  }

  outcome(ref: DocumentRef, outcome: DocumentOutcome): void {
    this.context.observer?.outcome(ref, outcome);
  }

  change(order: number, changes: HeaderChanges): void {
    // Most policies change no headers.
    if (isEmpty(changes.request) && isEmpty(changes.response)) return;
    this.#headers.push({ order, changes });
  }

  /** Limits the decision's validity to that of a matching document. */
  bound(validDurationMs: number, validUseCount: number): void {
    this.#validDurationMs = Math.min(this.#validDurationMs, validDurationMs);
    this.#validUseCount = Math.min(this.#validUseCount, validUseCount);
  }

  get validDurationMs(): number {
    if (!this.scope.cacheable) return 0;
    return this.#validDurationMs === Number.POSITIVE_INFINITY
      ? DEFAULT_VALID_DURATION_MS
      : this.#validDurationMs;
  }

  get validUseCount(): number {
    return this.#validUseCount === Number.POSITIVE_INFINITY ? DEFAULT_VALID_USE_COUNT : this.#validUseCount;
  }

  /**
   * Builds the decision after all documents. Both cases are written out: spreading the fields of a refusal
   * costs as much as evaluating a few policies.
   *
   * @param referenced The documents' reads.
   */
  build(referenced: readonly AttributeReference[]): Decision {
    const { refusal, directResponse, validDurationMs, validUseCount, shadowDenials, audits, charges } = this;
    const responseHeaders = this.#operations("response");
    if (refusal === undefined) {
      const allowed = {
        status: OK,
        requestHeaders: this.#operations("request"),
        responseHeaders,
        validDurationMs,
        validUseCount,
        referenced,
        shadowDenials,
        audits,
        charges,
      };
      return directResponse === undefined ? allowed : { ...allowed, directResponse };
    }
    const { status, reason, decidedBy } = refusal;
    const refused = {
      status,
      reason,
      decidedBy,
      requestHeaders: [],
      responseHeaders,
      validDurationMs,
      validUseCount,
      referenced,
      shadowDenials,
      audits,
      charges,
    };
    return directResponse === undefined ? refused : { ...refused, directResponse };
  }

  #operations(side: "request" | "response"): readonly HeaderOperation[] {
    if (this.#headers.length === 0) return [];
    return this.#headers.toSorted((a, b) => a.order - b.order).flatMap(({ changes }) => changes[side] ?? []);
  }
}

function isEmpty(operations: readonly HeaderOperation[] | undefined): boolean {
  return operations === undefined || operations.length === 0;
}

/** An error is not a denial: the reply is 500 or 503, and the cause is only for the logs. */
function refusalOf(ref: DocumentRef, fault: Fault): Refusal {
  return {
    status: {
      code: fault.code === "PURSER_EXPR_EVALUATION" ? "INTERNAL" : "UNAVAILABLE",
      message: `${ref.name} could not be decided`,
    },
    reason: { kind: "error", code: fault.code, detail: fault.detail },
    decidedBy: ref,
  };
}
