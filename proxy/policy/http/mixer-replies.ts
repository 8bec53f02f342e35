// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { AllocateReply, CheckReply, CheckRequest, PolicyState } from "../../../api/mixer.ts";
import { QUOTA_ALGORITHMS } from "../../../core/quota/quota.ts";
import { REQUEST_FATES, STORE_FAILURE_POLICIES } from "../../../core/quota/quota-charge.ts";
import { ENFORCEMENT_MODES } from "../../../kernel/enforcement-mode.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { STATUS_CODES } from "../../../kernel/status.ts";

/**
 * What the mixer's replies must be to be believed. Unknown fields are let through, so that a newer mixer can serve an
 * older proxy.
 */
const Amount = Type.Number({ minimum: 0 });
const Text = Type.String();
const List = <T extends TSchema>(items: T) => Type.Array(items);
const Choice = <const T extends string>(...values: T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));
const StoreFailure = Choice(...STORE_FAILURE_POLICIES);
const DocumentRef = Type.Object({ kind: Text, name: Text });
const HeaderOperations = List(
  Type.Object({ operation: Choice("set", "append", "remove"), name: Text, value: Type.Optional(Text) }),
);

const Decision = Type.Object({
  status: Type.Object({ code: Choice(...STATUS_CODES), message: Text }),
  reason: Type.Optional(
    Type.Union([
      Type.Object({ kind: Type.Literal("policy") }),
      Type.Object({ kind: Type.Literal("error"), code: Text, detail: Text }),
    ]),
  ),
  decidedBy: Type.Optional(DocumentRef),
  requestHeaders: HeaderOperations,
  responseHeaders: HeaderOperations,
  directResponse: Type.Optional(
    Type.Object({
      httpStatus: Type.Integer({ minimum: 200, maximum: 599 }),
      headers: Type.Record(Text, Text),
      body: Text,
    }),
  ),
  validDurationMs: Amount,
  validUseCount: Amount,
  referenced: List(Type.Object({ path: List(Text), condition: Choice("EXACT", "ABSENCE", "PRESENCE") })),
  shadowDenials: List(DocumentRef),
  audits: List(DocumentRef),
  charges: List(
    Type.Object({
      policy: Text,
      cell: Text,
      algorithm: Choice(...QUOTA_ALGORITHMS),
      limit: Amount,
      windowMs: Amount,
      amount: Amount,
      leaseMs: Amount,
      mode: Choice(...ENFORCEMENT_MODES),
      onStoreFailure: StoreFailure,
      giveBackOn: Type.Optional(Choice(...REQUEST_FATES)),
      message: Text,
    }),
  ),
});

const QuotaOutcomes = List(
  Type.Object({
    policy: Text,
    cell: Text,
    granted: Type.Number(),
    remaining: Amount,
    resetMs: Amount,
    retryAfterMs: Amount,
    validForMs: Amount,
    slot: Type.Number(),
    failure: Type.Optional(Type.Object({ code: Text, applied: StoreFailure })),
  }),
);

const checkReply = Compile(Type.Object({ version: Text, decision: Decision, quotas: QuotaOutcomes }));

const allocateReply = Compile(
  Type.Union([
    Type.Object({
      kind: Type.Literal("granted"),
      quotas: QuotaOutcomes,
      stale: Type.Optional(Type.Object({ version: Text, charges: List(Type.Integer({ minimum: 0 })) })),
    }),
    Type.Object({ kind: Type.Literal("stale"), version: Text }),
  ]),
);

const OnError = Choice("deny", "allow");
const Literal = Type.Union([Text, Type.Number(), Type.Boolean()]);

const policyState = Compile(
  Type.Object({
    version: Text,
    proxies: Amount,
    fallbacks: List(
      Type.Union([
        Type.Object({
          kind: Choice("AccessPolicy", "Rule"),
          name: Text,
          match: Type.Optional(Text),
          onError: OnError,
        }),
        Type.Object({
          kind: Type.Literal("QuotaPolicy"),
          name: Text,
          match: Type.Optional(Text),
          key: Type.Record(Text, Literal),
          charge: Literal,
          limit: Amount,
          overrides: Type.Optional(Type.Array(Type.Object({ when: Text, limit: Amount }))),
          windowMs: Amount,
          algorithm: Choice(...QUOTA_ALGORITHMS),
          onStoreFailure: StoreFailure,
          onError: OnError,
        }),
      ]),
    ),
  }),
);

/** @throws {PurserError} PURSER_MIXER_UNAVAILABLE, as do the others here. */
export function decodeCheckReply(
  body: unknown,
  { withoutQuotas = false }: Pick<CheckRequest, "withoutQuotas">,
): CheckReply {
  if (!checkReply.Check(body)) throw senseless("a check");
  const reply = body as CheckReply;
  // A charge without its outcome would pass for granted.
  if (!withoutQuotas && reply.quotas.length !== reply.decision.charges.length) throw senseless("a check");
  return reply;
}

export function decodeAllocateReply(body: unknown, charges: number): AllocateReply {
  if (!allocateReply.Check(body)) throw senseless("a demand for quota");
  const reply = body as AllocateReply;
  if (reply.kind === "granted" && reply.quotas.length !== charges) throw senseless("a demand for quota");
  return reply;
}

export function decodePolicyState(body: unknown): PolicyState {
  if (!policyState.Check(body)) throw senseless("a poll for the policies");
  return body as PolicyState;
}

function senseless(call: string): PurserError {
  return new PurserError(
    "PURSER_MIXER_UNAVAILABLE",
    `the mixer's answer to ${call} is not of the documented form`,
  );
}
