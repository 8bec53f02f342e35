// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Explanation } from "../../core/explain/explanation.ts";
import { PROBLEM_MEDIA_TYPE, problemDetails } from "../../core/verdict/problem-details.ts";
import { type HeaderField, httpReplyOf, type ReplyBody } from "../../core/verdict/reply.ts";
import type { RateLimitSettings } from "../../kernel/rate-limit-settings.ts";
import type { VerdictOutcome } from "../../core/verdict/verdict.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { hasNoContent, type StatusCode } from "../../kernel/status.ts";
import type { CheckResult } from "../policy/check-result.ts";
import { HeaderList } from "../transport/contract/header-list.ts";
import { problemText } from "./problem-text.ts";

/** Envoy's response flags, as its access logs write them. */
export type ResponseFlag =
  | "NR"
  | "UH"
  | "NC"
  | "UF"
  | "UC"
  | "UO"
  | "UT"
  | "UPE"
  | "URX"
  | "DC"
  | "DPE"
  | "SI"
  | "RL"
  | "UAEX"
  | "FI"
  | "DI"
  | "OM";

/** A response that the proxy generates itself (Envoy's "local reply"). */
export interface LocalReply {
  readonly status: number;
  readonly flag?: ResponseFlag | undefined;
  /** Envoy's response code details: a constant word for logs. */
  readonly details: string;
  /** Names in any case; values as Latin-1 text, one character per byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: ReplyBody | BytesBody;
  /** The gRPC status for a gRPC client; by default, the one that stands for `status`. */
  readonly grpcStatus?: StatusCode | undefined;
  /** The explanation of the decision, for clients with the explain key; sent in the problem details. */
  readonly explanation?: Explanation | undefined;
}

interface BytesBody {
  readonly kind: "bytes";
  readonly contentType: string;
  readonly bytes: Buffer;
}

interface ErrorRow {
  readonly status: number;
  readonly flag?: ResponseFlag;
  readonly code: ErrorCode;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Every error for which the proxy makes a local reply. The statuses and flags are Envoy's. */
const ERRORS = {
  bad_request: { status: 400, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  method_not_allowed: { status: 405, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  request_timeout: { status: 408, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  stream_idle_timeout: { status: 408, flag: "SI", code: "PURSER_PROXY_BAD_REQUEST" },
  expectation_failed: { status: 417, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  request_headers_too_large: { status: 431, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  route_not_found: { status: 404, flag: "NR", code: "PURSER_PROXY_NO_ROUTE" },
  route_match_too_long: { status: 431, flag: "DPE", code: "PURSER_PROXY_MATCH_TOO_LONG" },
  rewrite_malformed: { status: 400, code: "PURSER_PROXY_REWRITE" },
  loop_detected: { status: 508, code: "PURSER_PROXY_LOOP" },
  no_healthy_upstream: { status: 503, flag: "UH", code: "PURSER_PROXY_NO_ENDPOINT" },
  cluster_not_found: { status: 503, flag: "NC", code: "PURSER_PROXY_NO_CLUSTER" },
  upstream_overflow: {
    status: 503,
    flag: "UO",
    code: "PURSER_PROXY_OVERFLOW",
    headers: [["x-envoy-overloaded", "true"]],
  },
  overloaded: {
    status: 503,
    flag: "OM",
    code: "PURSER_PROXY_OVERLOADED",
    headers: [["x-envoy-overloaded", "true"]],
  },
  upstream_connect_failure: { status: 503, flag: "UF", code: "PURSER_PROXY_UPSTREAM" },
  upstream_reset: { status: 503, flag: "UC", code: "PURSER_PROXY_UPSTREAM" },
  upstream_protocol_error: { status: 502, flag: "UPE", code: "PURSER_PROXY_UPSTREAM" },
  upstream_timeout: { status: 504, flag: "UT", code: "PURSER_PROXY_UPSTREAM_TIMEOUT" },
  internal_error: { status: 500, code: "PURSER_INTERNAL" },
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorKind = keyof typeof ERRORS;

/** @param detail Detail for the client, more specific than the catalog's summary. */
export function errorReply(kind: ErrorKind, detail?: string): LocalReply {
  const row: ErrorRow = ERRORS[kind];
  return {
    status: row.status,
    flag: row.flag,
    details: kind,
    headers: [["x-purser-error", row.code], ...(row.headers ?? [])],
    body: problemBody(row.status, row.code, detail),
  };
}

/**
 * The local reply of a route's fault rule.
 *
 * @param grpcStatus The status for a gRPC client; by default, the one that stands for `status`.
 */
export function faultInjectedReply(status: number, grpcStatus?: StatusCode): LocalReply {
  const code = "PURSER_PROXY_FAULT_INJECTED";
  return {
    status,
    flag: "FI",
    details: "fault_filter_abort",
    headers: [["x-purser-error", code]],
    body: problemBody(status, code),
    grpcStatus,
  };
}

function problemBody(
  status: number,
  code: ErrorCode,
  detail: string = ERROR_CATALOG[code].summary,
): ReplyBody {
  return { kind: "problem", problem: problemDetails(status, detail, { code }) };
}

/**
 * Response code details and flags of each outcome. The flags are Envoy's: UAEX of ext_authz, RL of rate
 * limits.
 */
const VERDICTS: Readonly<Record<VerdictOutcome["kind"], Pick<LocalReply, "details" | "flag">>> = {
  allow: { details: "direct_response_by_policy" },
  deny: { details: "denied_by_policy", flag: "UAEX" },
  limit: { details: "limited_by_quota", flag: "RL" },
  error: { details: "policy_undecided", flag: "UAEX" },
};

function asBytes(header: HeaderField): HeaderField {
  const [name, value] = header;
  const bytes = headerBytesOf(value);
  return bytes === value ? header : [name, bytes];
}

/**
 * The local reply of a verdict; undefined when the request is allowed.
 *
 * @param settings The listener's settings for headers about quotas.
 */
export function verdictReply(verdict: CheckResult, settings?: RateLimitSettings): LocalReply | undefined {
  const reply = verdict.reply ?? httpReplyOf(verdict, settings);
  if (reply === undefined) return undefined;
  const { httpStatus, headers, body } = reply;
  const { explanation, outcome } = verdict;
  const { flag, details } = VERDICTS[outcome.kind];
  return { status: httpStatus, flag, details, headers: headers.map(asBytes), body, explanation };
}

/** A reply with its own status and headers: a redirect, or a direct response of a route or policy. */
export function plainReply(
  status: number,
  details: string,
  options: {
    readonly flag?: ResponseFlag;
    readonly headers?: readonly (readonly [string, string])[];
    readonly text?: string;
    /** In place of `text`. */
    readonly bytes?: Buffer;
    readonly contentType?: string;
  } = {},
): LocalReply {
  const { flag, headers = [], text = "", bytes, contentType = "text/plain; charset=utf-8" } = options;
  const isEmpty = bytes === undefined ? text === "" : bytes.byteLength === 0;
  const body =
    bytes === undefined
      ? { kind: "text" as const, contentType, text }
      : { kind: "bytes" as const, contentType, bytes };
  return {
    status,
    flag,
    details,
    headers,
    body: isEmpty ? { kind: "empty" } : body,
  };
}

/** The reply as it is sent: RFC 9457 problem details unless it has a body of its own. */
export function renderLocalReply(
  reply: LocalReply,
  requestId: string | undefined,
): { readonly headers: HeaderList; readonly body: Buffer } {
  const headers = new HeaderList();
  const { contentType, body } = hasNoContent(reply.status)
    ? { body: Buffer.alloc(0), contentType: undefined }
    : renderBody(reply, requestId);
  if (contentType !== undefined) headers.set("content-type", contentType);
  for (const [name, value] of reply.headers) headers.append(name.toLowerCase(), value);
  // A 204 or 304 has no content-length (RFC 9110, section 8.6); a 205 has content-length 0 (15.3.6).
  if (reply.status !== 204 && reply.status !== 304) headers.set("content-length", String(body.byteLength));
  if (requestId !== undefined) headers.set("x-request-id", requestId);
  return { headers, body };
}

function renderBody(
  reply: LocalReply,
  requestId: string | undefined,
): { readonly contentType?: string; readonly body: Buffer } {
  switch (reply.body.kind) {
    case "empty":
      return { body: Buffer.alloc(0) };
    case "text":
      return { contentType: reply.body.contentType, body: Buffer.from(reply.body.text) };
    case "bytes":
      return { contentType: reply.body.contentType, body: reply.body.bytes };
    case "problem": {
      const text = problemText(reply.body.problem, requestId, reply.explanation);
      return { contentType: PROBLEM_MEDIA_TYPE, body: Buffer.from(`${text}\n`) };
    }
  }
}
