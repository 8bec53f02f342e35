// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import { QUOTA_ALGORITHMS } from "../../core/quota/quota-definition.ts";
import { ADJUSTMENT_KINDS } from "../../core/quota/quota-view.ts";
import { ENFORCEMENT_MODES } from "../../kernel/enforcement-mode.ts";
import {
  type AuditEntry,
  type AuditListing,
  type BlockCommand,
  type CountCommand,
  MAX_ADJUSTMENT_MS,
  MAX_LIMIT,
  MAX_PAGE,
  QUOTA_ACTIONS,
  type QuotaKey,
  type QuotaListing,
  type QuotaListQuery,
  type RaiseCommand,
  type TopListing,
} from "../quota-operations.ts";
import { invalidReply, invalidRequest } from "./faults.ts";
import type { QueryParameter } from "./operations/operation.ts";
import { givenTwice, type QueryParameters, unknownParameter, wholeNumber } from "./query.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, closed, Code, Identifier, oneOf, Text, Whole } from "./schema/fields.ts";

/** `GET ?policy=&key=&limit=&cursor=`: a QuotaListing. */
export const QUOTAS_PATH = "/v1/quotas";
/** `GET ?policy=&limit=`: a TopListing. */
export const QUOTAS_TOP_PATH = "/v1/quotas/top";
/** `GET ?limit=`: an AuditListing. */
export const QUOTAS_AUDIT_PATH = "/v1/quotas/audit";
/** `POST` a CountCommand; 200 with an AuditEntry. */
export const QUOTAS_RESET_PATH = "/v1/quotas/reset";
/** `POST` a RaiseCommand, or `DELETE ?policy=&key=&reason=`; 200 with an AuditEntry. */
export const QUOTAS_RAISE_PATH = "/v1/quotas/raise";
/** `POST` a BlockCommand, or `DELETE ?policy=&key=&reason=`; 200 with an AuditEntry. */
export const QUOTAS_BLOCK_PATH = "/v1/quotas/block";

const DEFAULT_PAGE = 100;

const Key = Type.Unsafe<QuotaKey>({ type: "object" });
const COUNT = { policy: Identifier, key: Key, reason: Type.String({ minLength: 1, maxLength: 200 }) };
const FOR = { forMs: Type.Integer({ minimum: 1, maximum: MAX_ADJUSTMENT_MS }) };

const POLICY: QueryParameter = { schema: Text, description: "The name of a QuotaPolicy." };
const KEY: QueryParameter = { schema: Key, description: "The values of the policy's key.", json: true };
const LIMIT: QueryParameter = {
  schema: Type.Integer({ minimum: 1, maximum: MAX_PAGE }),
  description: "The most entries of the answer.",
};

/** The parameters of the queries, for the descriptions of the calls. */
export const LIST_QUERY = {
  policy: POLICY,
  key: KEY,
  limit: LIMIT,
  cursor: { schema: Text, description: "The cursor of the page before." },
};
export const TOP_QUERY = { policy: POLICY, limit: LIMIT };
export const AUDIT_QUERY = { limit: LIMIT };
export const END_QUERY = {
  policy: { ...POLICY, schema: COUNT.policy, required: true },
  key: { ...KEY, required: true },
  reason: { schema: COUNT.reason, description: "The reason, for the audit.", required: true },
};

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field; as all decoders of requests here. */
export const decodeCountCommand = createDecoder(exactly<CountCommand>()(closed(COUNT)), invalidRequest);
export const decodeBlockCommand = createDecoder(
  exactly<BlockCommand>()(closed({ ...COUNT, ...FOR })),
  invalidRequest,
);
export const decodeRaiseCommand = createDecoder(
  exactly<RaiseCommand>()(
    closed({ ...COUNT, ...FOR, limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT }) }),
  ),
  invalidRequest,
);

/** The command to end a raise or a block, from a query. */
export function decodeEndQuery(parameters: QueryParameters): CountCommand {
  const { policy, key, reason, ...others } = texts(parameters);
  refuseOthers(others);
  return decodeCountCommand({
    ...(policy === undefined ? {} : { policy }),
    ...(key === undefined ? {} : { key: keyOf(key) }),
    ...(reason === undefined ? {} : { reason }),
  });
}

export function decodeListQuery(parameters: QueryParameters): QuotaListQuery {
  const { policy, key, limit, cursor, ...others } = texts(parameters);
  refuseOthers(others);
  return {
    limit: pageOf(limit),
    ...(policy === undefined ? {} : { policy }),
    ...(key === undefined ? {} : { key: keyOf(key) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

export function decodeTopQuery(parameters: QueryParameters): Pick<QuotaListQuery, "policy" | "limit"> {
  const { policy, limit, ...others } = texts(parameters);
  refuseOthers(others);
  return { limit: limit === undefined ? 10 : pageOf(limit), ...(policy === undefined ? {} : { policy }) };
}

export function decodeAuditQuery(parameters: QueryParameters): Pick<QuotaListQuery, "limit"> {
  const { limit, ...others } = texts(parameters);
  refuseOthers(others);
  return { limit: pageOf(limit) };
}

/** A path with its query; parameters that are undefined are left out. */
export function withQuery(
  path: string,
  parameters: Readonly<Record<string, string | number | undefined>>,
): string {
  const parts = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}

function texts(parameters: QueryParameters): Readonly<Record<string, string | undefined>> {
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && typeof value !== "string") throw givenTwice(name);
  return parameters as Readonly<Record<string, string | undefined>>;
}

function refuseOthers(others: Readonly<Record<string, unknown>>): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw unknownParameter(unknown);
}

function pageOf(limit: string | undefined): number {
  const number = limit === undefined ? DEFAULT_PAGE : wholeNumber("limit", limit);
  if (number < 1 || number > MAX_PAGE)
    throw invalidRequest(`the query parameter limit must be from 1 to ${MAX_PAGE}`);
  return number;
}

function keyOf(text: string): QuotaKey {
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch (error) {
    throw invalidRequest(KEY_FORM, error);
  }
  if (typeof key !== "object" || key === null || Array.isArray(key)) throw invalidRequest(KEY_FORM);
  return key as QuotaKey;
}

const KEY_FORM = 'the query parameter key must be a JSON object of the key\'s values, such as {"user":"ann"}';

const KeptIn = oneOf(["store", "mixer"]);

const CountSchema = Type.Object({
  cell: Text,
  key: Type.Optional(Key),
  limit: Whole,
  used: Whole,
  remaining: Whole,
  resetMs: Amount,
});

const AdjustmentSchema = Type.Object({
  kind: oneOf(ADJUSTMENT_KINDS),
  cell: Text,
  key: Type.Optional(Key),
  limit: Whole,
  leftMs: Amount,
  keptIn: KeptIn,
  by: Text,
  reason: Text,
  time: Text,
});

const ListingSchema = exactly<QuotaListing>()(
  Type.Object({
    policies: Type.Array(
      Type.Object({
        policy: Text,
        algorithm: oneOf(QUOTA_ALGORITHMS),
        windowMs: Amount,
        limit: Whole,
        overrides: Type.Array(Whole),
        leaseMs: Amount,
        mode: oneOf(ENFORCEMENT_MODES),
        store: Text,
        shared: Type.Boolean(),
        counts: Type.Array(CountSchema),
        adjustments: Type.Array(AdjustmentSchema),
        error: Type.Optional(Type.Object({ code: Code, message: Text })),
      }),
    ),
    cursor: Type.Optional(Text),
  }),
);

const AmountsSchema = Type.Object({
  total: Amount,
  overAtMost: Amount,
  entries: Type.Array(Type.Object({ key: Text, amount: Amount, over: Amount })),
});

const TopSchema = exactly<TopListing>()(
  Type.Object({
    policies: Type.Array(
      Type.Object({
        policy: Text,
        periods: Type.Array(
          Type.Object({
            agoMs: Amount,
            current: Type.Boolean(),
            charged: AmountsSchema,
            refused: AmountsSchema,
          }),
        ),
      }),
    ),
  }),
);

const EntrySchema = Type.Object({
  time: Text,
  action: oneOf(QUOTA_ACTIONS),
  policy: Text,
  key: Key,
  by: Text,
  reason: Text,
  limit: Type.Optional(Whole),
  forMs: Type.Optional(Amount),
  changed: Type.Boolean(),
  keptIn: KeptIn,
});

const refuseReply = (fault: string) => invalidReply("a question about quotas", fault);

/** @throws {PurserError} PURSER_MIXER_UNAVAILABLE, naming the field; as all decoders of replies here. */
export const decodeListing = createDecoder(ListingSchema, refuseReply);
export const decodeTop = createDecoder(TopSchema, refuseReply);
export const decodeAuditEntry = createDecoder(exactly<AuditEntry>()(EntrySchema), refuseReply);
export const decodeAudit = createDecoder(
  exactly<AuditListing>()(Type.Object({ entries: Type.Array(EntrySchema), forgotten: Whole })),
  refuseReply,
);
