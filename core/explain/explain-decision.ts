// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag, AttributePath } from "../attributes/bag.ts";
import { decide } from "../check/decide.ts";
import type { Decision } from "../check/decision.ts";
import { type DocumentRef, formatDocumentRef } from "../check/document-ref.ts";
import type { CheckPlan } from "../check/plan.ts";
import type { CheckContext, DocumentOutcome } from "../check/ports.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { BeyondStep, SingleCharge } from "../quota/quota-charge.ts";
import { quotaOfStanding } from "../quota/standing.ts";
import { httpStatusOfDecision } from "../verdict/reply.ts";
import {
  DEFAULT_EXPLANATION_LIMITS,
  type DocumentExplanation,
  type ExplainedCharge,
  type ExplainedDecision,
  type ExplainedStep,
  type Explanation,
  type ExplanationLimits,
  type ExpressionExplanation,
  type RefusedAddition,
} from "./explanation.ts";
import { DEFAULT_REDACTED_PATHS, Redaction } from "./redaction.ts";
import { shownValue } from "./shown-value.ts";
import { shortened, type Trace, traceExpression } from "./trace.ts";
import type { TraceNode } from "./trace-node.ts";
import type { Tracer } from "../../expressions/tracing/traced-expression.ts";
import { documentsOfPlan, type Explained, replaceExpressions } from "./traced-plan.ts";

export interface ExplainOptions {
  /** A tracer that no other explanation uses at the same time. */
  readonly tracer: Tracer;
  /** Attributes whose values are redacted; default DEFAULT_REDACTED_PATHS. */
  readonly redact?: readonly AttributePath[];
  readonly limits?: ExplanationLimits;
  /** Called for each evaluation; for coverage. */
  readonly onTrace?: (document: DocumentRef, field: string, trace: Trace) => void;
  /**
   * The reason that a Rule's handler does not answer through `context.dispatch`; undefined for one that does. Asked after the
   * decision. Default: every handler answers.
   */
  readonly whyUnanswered?: (handler: string) => string | undefined;
}

export interface ExplainedResult {
  /** The whole decision, as `decide` returns it. */
  readonly decision: Decision;
  readonly explanation: Explanation;
}

/** Records about one document while the request is decided. */
interface Notes {
  outcome: DocumentOutcome | "not-asked";
  readonly faults: {
    readonly code: DocumentExplanation["faults"][number]["code"];
    readonly detail: string;
  }[];
  readonly expressions: ExpressionExplanation[];
}

/**
 * Decides a request and explains the decision. `decide` itself decides, over expressions that record the
 * values of their parts, so the decision is the same as without an explanation.
 */
export async function explainDecision(
  plan: CheckPlan,
  bag: AttributeBag,
  context: CheckContext,
  options: ExplainOptions,
): Promise<ExplainedResult> {
  const limits = options.limits ?? DEFAULT_EXPLANATION_LIMITS;
  const paths = options.redact ?? DEFAULT_REDACTED_PATHS;
  const documents = documentsOfPlan(plan);
  const notes = new Map<string, Notes>(
    documents.map(({ ref }) => [
      formatDocumentRef(ref),
      { outcome: "not-asked", faults: [], expressions: [] },
    ]),
  );
  const redaction = new Redaction(bag, paths);
  const traced = replaceExpressions(plan, ({ ref }, field, expression) => ({
    source: expression.source,
    engine: expression.engine,
    references: expression.references,
    cacheable: expression.cacheable,
    evaluate: async (view, evaluation) => {
      // Plugins may have added attributes, so redaction uses the bag that the expression sees.
      const seen = new Redaction(view, paths);
      const secretive = seen.concerns(expression.references);
      const trace = await traceExpression(options.tracer(expression.source), view, evaluation, {
        redaction: seen,
        secretive,
        limits,
      });
      options.onTrace?.(ref, field, trace);
      const found = notes.get(formatDocumentRef(ref));
      if (found !== undefined && found.expressions.length < limits.expressions)
        found.expressions.push(expressionOf(field, expression.source, trace, seen, limits, secretive));
      // The engine's own evaluation gives the value and records the reads; the trace records no reads.
      return expression.evaluate(view, evaluation);
    },
  }));
  const refusals = new Map<string, RefusedAddition>();
  const decision = await decide(traced, bag, {
    ...context,
    observer: {
      outcome(ref, outcome) {
        context.observer?.outcome(ref, outcome);
        const found = notes.get(formatDocumentRef(ref));
        if (found !== undefined) found.outcome = outcome;
      },
      fault(ref, fault) {
        context.observer?.fault(ref, fault);
        const { code, detail } = fault;
        const faults = notes.get(formatDocumentRef(ref))?.faults;
        if (faults !== undefined && faults.length < limits.expressions)
          faults.push({ code, detail: redaction.clean(detail).slice(0, MESSAGE_LENGTH) });
      },
      attributeRefused(ref, refused) {
        context.observer?.attributeRefused?.(ref, refused);
        if (refusals.size < limits.expressions)
          refusals.set(JSON.stringify([ref.name, refused.name]), { handler: ref.name, ...refused });
      },
    },
  });
  const deciding = decidingDocument(decision, documents, notes);
  const explained = documents.map((document) => explainDocument(document, notes, deciding, options));
  return {
    decision,
    explanation: {
      nowMs: context.nowMs,
      decision: shownDecision(decision, redaction),
      ...bounded(explained, limits),
      ...(refusals.size > 0 ? { refusedAttributes: [...refusals.values()] } : {}),
      ...unaskedHandlers(explained, options),
    },
  };
}

/** Longest message of a fault, in characters. */
const MESSAGE_LENGTH = 300;

function expressionOf(
  field: string,
  source: string,
  { result, root }: Trace,
  redaction: Redaction,
  { valueLength, sourceLength }: ExplanationLimits,
  secretive: boolean,
): ExpressionExplanation {
  const shown = { field, source: shortened(source, sourceLength) };
  if (!result.ok) {
    const error = redaction.clean(messageOf(result.error)).slice(0, MESSAGE_LENGTH);
    return { ...shown, error: secretive ? errorCodeOf(result.error) : error, trace: root };
  }
  // The outermost part's value is the expression's value, redacted where necessary.
  const value = root.values.at(-1) ?? shownValue(undefined, valueLength, redaction);
  return { ...shown, value, trace: root };
}

/** Only the code, because JSONata's messages quote values. */
function errorCodeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return `failed${typeof code === "string" ? ` (${code})` : ""}`;
}

/**
 * The document that refused; for an allowed request the first matching ALLOW policy in enforce mode, if any.
 */
function decidingDocument(
  { decidedBy, status }: Decision,
  documents: readonly Explained[],
  notes: ReadonlyMap<string, Notes>,
): string | undefined {
  if (decidedBy !== undefined) return formatDocumentRef(decidedBy);
  if (status.code !== "OK") return undefined;
  const allowing = documents.find(
    ({ document, ref }) =>
      "action" in document &&
      document.action === "ALLOW" &&
      document.mode === "enforce" &&
      notes.get(formatDocumentRef(ref))?.outcome === "passed",
  );
  return allowing === undefined ? undefined : formatDocumentRef(allowing.ref);
}

function explainDocument(
  { document, ref }: Explained,
  notes: ReadonlyMap<string, Notes>,
  deciding: string | undefined,
  { whyUnanswered = () => undefined }: ExplainOptions,
): DocumentExplanation {
  const { outcome, faults, expressions } = notes.get(formatDocumentRef(ref)) as Notes;
  const handlers = "actions" in document ? document.actions.map(({ handler }) => handler) : [];
  const unasked =
    outcome === "unmatched" ? [] : handlers.filter((handler) => whyUnanswered(handler) !== undefined);
  return {
    ...ref,
    location: document.location,
    ...("action" in document ? { action: document.action } : {}),
    mode: document.mode,
    outcome,
    ...(formatDocumentRef(ref) === deciding ? { decides: true } : {}),
    faults,
    expressions,
    ...(unasked.length > 0 ? { unasked: [...new Set(unasked)] } : {}),
  };
}

/** The handlers that did not answer, each once, with the reason. */
function unaskedHandlers(
  documents: readonly DocumentExplanation[],
  { whyUnanswered = () => undefined }: ExplainOptions,
): Pick<Explanation, "unaskedHandlers"> {
  const names = [...new Set(documents.flatMap(({ unasked = [] }) => unasked))];
  const reasons = names.map((handler) => ({ handler, reason: whyUnanswered(handler) ?? "" }));
  return reasons.length > 0 ? { unaskedHandlers: reasons } : {};
}

/** Documents up to the limit, in document order; documents that match the request are kept before others. */
function bounded(
  documents: readonly DocumentExplanation[],
  { documents: limit, allNodes }: ExplanationLimits,
): Pick<Explanation, "documents" | "omittedDocuments"> {
  const weight = ({ decides, outcome }: DocumentExplanation) =>
    decides === true ? 0 : outcome === "unmatched" ? 2 : outcome === "not-asked" ? 3 : 1;
  const kept = new Map<DocumentExplanation, DocumentExplanation>();
  let nodes = allNodes;
  for (const document of documents.toSorted((a, b) => weight(a) - weight(b)).slice(0, limit)) {
    const expressions = document.expressions.map((expression) => {
      nodes -= sizeOf(expression.trace);
      return nodes >= 0 ? expression : { ...expression, trace: { ...expression.trace, children: [] } };
    });
    kept.set(document, { ...document, expressions });
  }
  return {
    documents: documents.flatMap((document) => kept.get(document) ?? []),
    ...(documents.length > limit ? { omittedDocuments: documents.length - limit } : {}),
  };
}

function sizeOf({ children }: TraceNode): number {
  return children.reduce((size, child) => size + sizeOf(child), 1);
}

function shownDecision(decision: Decision, redaction: Redaction): ExplainedDecision {
  const { status, reason, decidedBy, requestHeaders, responseHeaders, shadowDenials, audits } = decision;
  const clean = (text: string) => redaction.clean(text);
  const headers = (operations: Decision["requestHeaders"]) =>
    operations.map((operation) =>
      operation.value === undefined ? operation : { ...operation, value: clean(operation.value) },
    );
  return {
    status: { code: status.code, message: clean(status.message) },
    httpStatus: httpStatusOfDecision(decision),
    ...(reason === undefined
      ? {}
      : { reason: reason.kind === "error" ? { ...reason, detail: clean(reason.detail) } : reason }),
    ...(decidedBy === undefined ? {} : { decidedBy }),
    requestHeaders: headers(requestHeaders),
    responseHeaders: headers(responseHeaders),
    shadowDenials,
    audits,
    charges: decision.charges.map((charge) => ({
      ...shownCharge(charge, redaction),
      ...(charge.beyond === undefined
        ? {}
        : { beyond: charge.beyond.map((step) => shownStep(step, redaction)) }),
    })),
  };
}

function shownCharge(charge: SingleCharge, redaction: Redaction): Omit<ExplainedCharge, "beyond"> {
  const { cell, amount, mode } = charge;
  return { ...quotaOfStanding(charge), cell: redaction.clean(cell), amount, mode };
}

/** The headers of a degradation are text of the document, and so are shown as they are. */
function shownStep(step: BeyondStep, redaction: Redaction): ExplainedStep {
  return step.kind === "draw" ? { kind: "draw", charge: shownCharge(step.charge, redaction) } : step;
}
