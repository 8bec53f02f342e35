// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { CheckReply, CheckRequest } from "../mixer-service.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import { DecisionSchema, QuotaOutcomeSchema } from "./decision.ts";
import { ExplanationSchema } from "./explanation.ts";
import { invalidReply, invalidRequest } from "./faults.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { Bag, closed, Identifier, Text, Whole } from "./schema/fields.ts";

/** `POST` a CheckRequest; 200 with a CheckReply. */
export const CHECK_PATH = "/v1/check";

const CheckRequestSchema = exactly<CheckRequest>()(
  closed({
    attributes: Bag,
    deduplicationId: Identifier,
    useWithinMs: Type.Optional(Whole),
    withoutQuotas: Type.Optional(Type.Boolean()),
    applyBeyond: Type.Optional(Type.Boolean()),
    explain: Type.Optional(Type.Boolean()),
  }),
);

export const CheckReplySchema = exactly<CheckReply>()(
  Type.Object({
    version: Text,
    decision: DecisionSchema,
    quotas: Type.Array(QuotaOutcomeSchema),
    // Checked by a separate schema, which takes longer to compile than all others together, and few replies
    // need it.
    explanation: Type.Optional(Type.Unsafe<Explanation>({ type: "object" })),
  }),
);

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export const decodeCheckRequest = createDecoder(CheckRequestSchema, invalidRequest);

const refuseReply = (fault: string) => invalidReply("a check", fault);
const decodeReply = createDecoder(CheckReplySchema, refuseReply);
const checkExplanation = createDecoder(ExplanationSchema, refuseReply, "explanation");

/** @throws {PurserError} PURSER_MIXER_UNAVAILABLE, naming the field. */
export function decodeCheckReply(
  body: unknown,
  { withoutQuotas = false }: Pick<CheckRequest, "withoutQuotas">,
): CheckReply {
  const reply = decodeReply(body);
  const { quotas, decision, explanation } = reply;
  if (explanation !== undefined) checkExplanation(explanation);
  // A charge without an outcome would count as granted.
  if (withoutQuotas || quotas.length === decision.charges.length) return reply;
  throw refuseReply(`quotas must have ${decision.charges.length} items, and has ${quotas.length}`);
}
