// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { MapOf } from "../documents/kinds/map-of.ts";
import { STATUS_CODES, type StatusCode } from "../../kernel/status.ts";

/** Version of the form below; raised when a reader of the old form would misread the new one. */
export const LOG_LINE_VERSION = 1;

const Texts = (description: string) => Type.Array(Type.String(), { description });

/**
 * One line of a decision log; docs/reference/decision-log.md describes it, and schemas/decision-log-line.schema.json is
 * generated from it. Unknown fields are allowed, so that a later version may add some.
 */
export const DECISION_LOG_LINE = Type.Object({
  v: Type.Literal(LOG_LINE_VERSION, { description: "The version of this form." }),
  time: Type.String({ description: "When the request ended, ISO 8601 in UTC." }),
  name: Type.String({ description: "The name of the Rule's instance." }),
  id: Type.Optional(Type.String({ description: "request.id." })),
  snapshot: Type.Optional(
    Type.String({
      description: "The version of the documents that were in force when the request was reported.",
    }),
  ),
  sampled: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    description: "The probability with which this request was sampled: it represents 1/sampled requests.",
  }),
  redacted: Texts("Attributes whose values were replaced by [redacted]."),
  hashed: Texts("Attributes whose values were replaced by a keyed hash: equal values have equal hashes."),
  cut: Texts("Attributes whose text was cut because it was too long."),
  bag: MapOf(Type.Unknown(), {
    description: "The attribute bag; see docs/reference/attributes.md.",
  }),
  decision: Type.Object({
    checked: Type.Boolean({
      description:
        "False when the reporting proxy asked no policy: a proxy nearer to the destination did, or none.",
    }),
    allowed: Type.Boolean(),
    code: Type.Unsafe<StatusCode>({
      type: "string",
      enum: [...STATUS_CODES],
      description: "The gRPC status.",
    }),
    policy: Type.Optional(Type.String({ description: "The document that refused, as Kind/name." })),
    message: Type.Optional(Type.String({ description: "Message to the client." })),
    shadowDenials: Texts("Documents in shadow mode that would have refused, as Kind/name."),
    audits: Texts("AUDIT policies that were true, as Kind/name."),
    cacheHit: Type.Optional(
      Type.Boolean({ description: "Whether the decision came from the proxy's cache." }),
    ),
    quotaCacheHit: Type.Optional(
      Type.Boolean({ description: "Whether the proxy's leases covered all quotas." }),
    ),
    quotaState: Type.Optional(
      Type.String({
        description: "How the quotas were counted: exact, leased, local or allowed-uncounted.",
      }),
    ),
    beyond: Type.Optional(
      Texts("Steps that the request took beyond a quota's limit, such as reviews-per-user: queued."),
    ),
    httpStatus: Type.Optional(Type.Number({ description: "The HTTP status sent to the client." })),
  }),
});

export type DecisionLogLine = Static<typeof DECISION_LOG_LINE>;
