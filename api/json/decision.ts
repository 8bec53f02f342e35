// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { MapOf } from "../../core/documents/kinds/map-of.ts";
import type { Decision, DecisionReason } from "../../core/check/decision.ts";
import type { DocumentRef } from "../../core/check/document-ref.ts";
import type { BeyondStep, QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import { QUOTA_DEFINITION, STORE_FAILURE_POLICIES } from "../../core/quota/quota-definition.ts";
import type { DirectResponse, HeaderOperation } from "../../core/templates/instances.ts";
import { ENFORCEMENT_MODES } from "../../kernel/enforcement-mode.ts";
import { STATUS_CODES, type Status } from "../../kernel/status.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, Code, oneOf, Text } from "./schema/fields.ts";

// Schemas of core's types for a decision and its quota outcomes, as replies contain them.

export const StatusSchema = exactly<Status>()(Type.Object({ code: oneOf(STATUS_CODES), message: Text }));

export const DocumentRefSchema = exactly<DocumentRef>()(Type.Object({ kind: Text, name: Text }));

export const DecisionReasonSchema = exactly<DecisionReason>()(
  Type.Union([
    Type.Object({ kind: Type.Literal("policy") }),
    Type.Object({ kind: Type.Literal("error"), code: Code, detail: Text }),
  ]),
);

export const HeaderOperationSchema = exactly<HeaderOperation>()(
  Type.Object({
    operation: oneOf(["set", "append", "remove"]),
    name: Text,
    value: Type.Optional(Text),
  }),
);

const DirectResponseSchema = exactly<DirectResponse>()(
  Type.Object({
    httpStatus: Type.Integer({ minimum: 200, maximum: 599 }),
    headers: MapOf(Text),
    body: Text,
  }),
);

const AttributeReferenceSchema = exactly<Decision["referenced"][number]>()(
  Type.Object({ path: Type.Array(Text), condition: oneOf(["EXACT", "ABSENCE", "PRESENCE"]) }),
);

const StoreFailure = oneOf(STORE_FAILURE_POLICIES);

const SINGLE_CHARGE = {
  ...QUOTA_DEFINITION.properties,
  mode: oneOf(ENFORCEMENT_MODES),
  cell: Text,
  limit: Amount,
  amount: Amount,
  message: Text,
};

export const QueueStepSchema = Type.Object({
  kind: Type.Literal("queue"),
  atMostMs: Amount,
  length: Amount,
});

export const DegradeStepSchema = Type.Object({
  kind: Type.Literal("degrade"),
  headers: Type.Array(Type.Object({ name: Text, value: Text })),
});

const BeyondStepSchema = exactly<BeyondStep>()(
  Type.Union([
    QueueStepSchema,
    Type.Object({ kind: Type.Literal("draw"), charge: Type.Object(SINGLE_CHARGE) }),
    DegradeStepSchema,
  ]),
);

const QuotaChargeSchema = exactly<QuotaCharge>()(
  Type.Object({ ...SINGLE_CHARGE, beyond: Type.Optional(Type.Array(BeyondStepSchema)) }),
);

export const DecisionSchema = exactly<Decision>()(
  Type.Object({
    status: StatusSchema,
    reason: Type.Optional(DecisionReasonSchema),
    decidedBy: Type.Optional(DocumentRefSchema),
    requestHeaders: Type.Array(HeaderOperationSchema),
    responseHeaders: Type.Array(HeaderOperationSchema),
    directResponse: Type.Optional(DirectResponseSchema),
    validDurationMs: Amount,
    validUseCount: Amount,
    referenced: Type.Array(AttributeReferenceSchema),
    shadowDenials: Type.Array(DocumentRefSchema),
    audits: Type.Array(DocumentRefSchema),
    charges: Type.Array(QuotaChargeSchema),
  }),
);

export const QuotaOutcomeSchema = exactly<QuotaOutcome>()(
  Type.Object({
    policy: Text,
    cell: Text,
    granted: Type.Number(),
    remaining: Amount,
    resetMs: Amount,
    retryAfterMs: Amount,
    validForMs: Amount,
    slot: Type.Number(),
    failure: Type.Optional(Type.Object({ code: Code, applied: StoreFailure })),
    blocked: Type.Optional(Type.Literal(true)),
  }),
);
