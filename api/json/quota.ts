// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { AllocateReply, AllocateRequest } from "../mixer-service.ts";
import { QuotaOutcomeSchema } from "./decision.ts";
import { invalidReply, invalidRequest } from "./faults.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { closed, Identifier, Text, Whole } from "./schema/fields.ts";

/** `POST` an AllocateRequest; 200 with an AllocateReply. */
export const QUOTA_PATH = "/v1/quota";

const AllocateRequestSchema = exactly<AllocateRequest>()(
  closed({
    version: Identifier,
    deduplicationId: Identifier,
    charges: Type.Array(
      closed({
        policy: Identifier,
        // Cells contain values of the request, such as a path.
        cell: Type.String({ minLength: 1, maxLength: 65_536 }),
        limit: Whole,
        leaseMs: Whole,
        amount: Type.Integer(),
        bestEffort: Type.Boolean(),
        slot: Type.Optional(Type.Integer()),
      }),
      { maxItems: 1_000 },
    ),
  }),
);

export const AllocateReplySchema = exactly<AllocateReply>()(
  Type.Union([
    Type.Object({
      kind: Type.Literal("granted"),
      quotas: Type.Array(QuotaOutcomeSchema),
      stale: Type.Optional(Type.Object({ version: Text, charges: Type.Array(Whole) })),
    }),
    Type.Object({ kind: Type.Literal("stale"), version: Text }),
  ]),
);

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export const decodeAllocateRequest = createDecoder(AllocateRequestSchema, invalidRequest);

const decodeReply = createDecoder(AllocateReplySchema, (fault) => invalidReply("a demand for quota", fault));

/** @throws {PurserError} PURSER_MIXER_UNAVAILABLE, naming the field. */
export function decodeAllocateReply(
  body: unknown,
  { charges }: Pick<AllocateRequest, "charges">,
): AllocateReply {
  const reply = decodeReply(body);
  if (reply.kind === "stale" || reply.quotas.length === charges.length) return reply;
  const fault = `quotas must have ${charges.length} items, and has ${reply.quotas.length}`;
  throw invalidReply("a demand for quota", fault);
}
