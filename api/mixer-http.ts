// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema } from "typebox";
import type { AttributeBag } from "../core/attributes/bag.ts";
import { PurserError } from "../kernel/errors.ts";
import { firstFault } from "./json/schema/first-fault.ts";
import type { AllocateRequest, CheckRequest, ReportRequest } from "./mixer.ts";

/**
 * The mixer over HTTP; docs/api.md shows each call with its bodies.
 *
 * - `POST /v1/check`: CheckRequest → 200 CheckReply.
 * - `POST /v1/quota`: AllocateRequest → 200 AllocateReply.
 * - `POST /v1/report`: ReportRequest → 204.
 * - `GET /v1/policy-state?node=ID&version=V&proxies=N&waitMs=MS`: a long poll → 200 PolicyState, or 304 when the proxy
 *   has the newest. `version` and `proxies` are what it has; absent when it has nothing. `waitMs`: default 0, at most
 *   MAX_POLL_WAIT_MS.
 *
 * Refusals are an ErrorBody.
 */
export const MIXER_PATHS = {
  check: "/v1/check",
  quota: "/v1/quota",
  report: "/v1/report",
  policyState: "/v1/policy-state",
} as const;

const MAX_POLL_WAIT_MS = 30_000;

export interface PolicyStateQuery {
  readonly node: string;
  readonly version?: string;
  readonly proxies?: number;
  readonly waitMs: number;
}

const Text = Type.String({ minLength: 1, maxLength: 512 });
const Whole = Type.Integer({ minimum: 0 });
/** Any object: what its attributes may be, the manifest says. A Type.Record would test each key with a pattern. */
const Bag = Type.Unsafe<AttributeBag>({ type: "object" });

const CheckRequestSchema = closed({
  attributes: Bag,
  deduplicationId: Text,
  useWithinMs: Type.Optional(Whole),
  withoutQuotas: Type.Optional(Type.Boolean()),
  explain: Type.Optional(Type.Boolean()),
});

const AllocateRequestSchema = closed({
  version: Text,
  deduplicationId: Text,
  charges: Type.Array(
    closed({
      policy: Text,
      // Cells carry a request's own values, such as a path.
      cell: Type.String({ minLength: 1, maxLength: 65_536 }),
      limit: Whole,
      leaseMs: Whole,
      amount: Type.Integer(),
      bestEffort: Type.Boolean(),
      slot: Type.Optional(Type.Integer()),
    }),
    { maxItems: 1_000 },
  ),
});

const ReportRequestSchema = closed({
  bags: Type.Array(Bag, { maxItems: 10_000 }),
  deduplicationId: Type.Optional(Text),
});

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export function decodeCheckRequest(body: unknown): CheckRequest {
  return checked<CheckRequest>(CheckRequestSchema, body);
}

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export function decodeAllocateRequest(body: unknown): AllocateRequest {
  return checked<AllocateRequest>(AllocateRequestSchema, body);
}

/** @throws {PurserError} PURSER_REQUEST_INVALID, naming the field. */
export function decodeReportRequest(body: unknown): ReportRequest {
  return checked<ReportRequest>(ReportRequestSchema, body);
}

/** The path and query to ask with. */
export function encodePolicyStateQuery({ node, version, proxies, waitMs }: PolicyStateQuery): string {
  const query = new Map<string, string | number>([["node", node]]);
  if (version !== undefined) query.set("version", version);
  if (proxies !== undefined) query.set("proxies", proxies);
  query.set("waitMs", waitMs);
  const parts = [...query].map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `${MIXER_PATHS.policyState}?${parts.join("&")}`;
}

/**
 * @param parameters The query's parameters, decoded.
 * @throws {PurserError} PURSER_REQUEST_INVALID, naming the parameter.
 */
export function decodePolicyStateQuery(
  parameters: Readonly<Record<string, string | readonly string[] | undefined>>,
): PolicyStateQuery {
  const { node, version, proxies, waitMs = "0", ...others } = parameters;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`there is no query parameter ${JSON.stringify(unknown)}`);
  if (typeof node !== "string" || node === "" || node.length > 512) {
    throw invalid("the query parameter node must be the proxy's id, given once");
  }
  if (version !== undefined && typeof version !== "string")
    throw invalid("the query parameter version is given twice");
  return {
    node,
    waitMs: Math.min(wholeNumber("waitMs", waitMs), MAX_POLL_WAIT_MS),
    ...(version === undefined ? {} : { version }),
    ...(proxies === undefined ? {} : { proxies: wholeNumber("proxies", proxies) }),
  };
}

function closed<P extends Parameters<typeof Type.Object>[0]>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

function checked<T>(schema: TSchema, body: unknown): T {
  const fault = firstFault(schema, body);
  if (fault !== undefined) throw invalid(fault);
  return body as T;
}

function wholeNumber(name: string, text: string | readonly string[]): number {
  if (typeof text === "string" && /^[0-9]{1,9}$/.test(text)) return Number(text);
  throw invalid(`the query parameter ${name} is not a whole number`);
}

function invalid(message: string): PurserError {
  return new PurserError("PURSER_REQUEST_INVALID", message);
}
