// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TUnsafe } from "typebox";
import type {
  DocumentExplanation,
  ExplainedDecision,
  ExplainedStep,
  Explanation,
  ExpressionExplanation,
} from "../../core/explain/explanation.ts";
import { DEFAULT_TRACE_LIMITS, type TraceNode } from "../../core/explain/trace-node.ts";
import { ENFORCEMENT_MODES } from "../../kernel/enforcement-mode.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import {
  DecisionReasonSchema,
  DegradeStepSchema,
  DocumentRefSchema,
  HeaderOperationSchema,
  QueueStepSchema,
  StatusSchema,
} from "./decision.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, Code, oneOf, Text, Whole } from "./schema/fields.ts";

/**
 * Schema of a tree with a bounded number of levels: with a recursive schema a deep reply could overflow the
 * stack.
 */
function traceNodeOf(levels: number): TUnsafe<TraceNode> {
  return exactly<TraceNode>()(
    Type.Object({
      text: Text,
      start: Whole,
      end: Whole,
      kind: Text,
      values: Type.Array(Text),
      count: Whole,
      skipped: Type.Optional(Type.Literal(true)),
      failed: Type.Optional(Type.Literal(true)),
      decides: Type.Optional(Type.Literal(true)),
      children:
        levels > 1
          ? Type.Array(traceNodeOf(levels - 1))
          : Type.Array(Type.Unsafe<TraceNode>({}), { maxItems: 0 }),
    }),
  );
}

const ExpressionExplanationSchema = exactly<ExpressionExplanation>()(
  Type.Object({
    field: Text,
    source: Text,
    value: Type.Optional(Text),
    error: Type.Optional(Text),
    // One level more than the limit: a node there marks the omission.
    trace: traceNodeOf(DEFAULT_TRACE_LIMITS.depth + 1),
  }),
);

export const SourceLocationSchema = exactly<SourceLocation>()(
  Type.Object({ file: Text, line: Whole, column: Whole }),
);

const Mode = oneOf(ENFORCEMENT_MODES);

const DocumentExplanationSchema = exactly<DocumentExplanation>()(
  Type.Object({
    kind: Text,
    name: Text,
    location: SourceLocationSchema,
    action: Type.Optional(oneOf(["DENY", "ALLOW", "AUDIT"])),
    mode: Mode,
    outcome: oneOf(["unmatched", "passed", "withheld", "refused", "noted", "charged", "fault", "not-asked"]),
    decides: Type.Optional(Type.Literal(true)),
    faults: Type.Array(Type.Object({ code: Code, detail: Text })),
    expressions: Type.Array(ExpressionExplanationSchema),
    unasked: Type.Optional(Type.Array(Text)),
  }),
);

const CHARGE = {
  policy: Text,
  cell: Text,
  limit: Amount,
  windowMs: Amount,
  unit: Type.Optional(oneOf(["content-bytes", "concurrent-requests"])),
  amount: Amount,
  mode: Mode,
};

const ExplainedStepSchema = exactly<ExplainedStep>()(
  Type.Union([
    QueueStepSchema,
    DegradeStepSchema,
    Type.Object({ kind: Type.Literal("draw"), charge: Type.Object(CHARGE) }),
  ]),
);

const ExplainedDecisionSchema = exactly<ExplainedDecision>()(
  Type.Object({
    status: StatusSchema,
    httpStatus: Whole,
    reason: Type.Optional(DecisionReasonSchema),
    decidedBy: Type.Optional(DocumentRefSchema),
    requestHeaders: Type.Array(HeaderOperationSchema),
    responseHeaders: Type.Array(HeaderOperationSchema),
    shadowDenials: Type.Array(DocumentRefSchema),
    audits: Type.Array(DocumentRefSchema),
    charges: Type.Array(Type.Object({ ...CHARGE, beyond: Type.Optional(Type.Array(ExplainedStepSchema)) })),
  }),
);

/** docs/guides/explain.md describes each field. */
export const ExplanationSchema = exactly<Explanation>()(
  Type.Object({
    nowMs: Type.Number(),
    decision: ExplainedDecisionSchema,
    documents: Type.Array(DocumentExplanationSchema),
    omittedDocuments: Type.Optional(Whole),
    refusedAttributes: Type.Optional(
      Type.Array(
        Type.Object({ handler: Text, name: Text, reason: oneOf(["undeclared", "type"]), detail: Text }),
      ),
    ),
    unaskedHandlers: Type.Optional(Type.Array(Type.Object({ handler: Text, reason: Text }))),
  }),
);
