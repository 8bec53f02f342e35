// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATUS_CODES } from "node:http";

import type { DocumentRef } from "../../core/check/document-ref.ts";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { hasNoContent, httpStatusOf, type StatusCode } from "../../kernel/status.ts";
import { HeaderList } from "../transport/contract/header-list.ts";

/** Envoy's response flags, as its access logs write them. */
export type ResponseFlag =
  | "NR"
  | "UH"
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
  | "DI";

/** An answer that the proxy gives of its own accord. */
export interface LocalReply {
  readonly status: number;
  readonly flag?: ResponseFlag;
  /** What Envoy calls response code details: a constant word for logs. */
  readonly details: string;
  /** Names in any case; values as bytes, a character a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: LocalReplyBody;
}

type LocalReplyBody =
  | { readonly kind: "problem"; readonly problem: Problem }
  | { readonly kind: "text"; readonly contentType: string; readonly text: string }
  | { readonly kind: "empty" };

/** The parts of RFC 9457 problem details that are not the status and its title. */
interface Problem {
  readonly type?: string;
  readonly detail: string;
  readonly code?: ErrorCode;
  /** `Kind/name` of the document that decided. */
  readonly policy?: string;
  readonly violatedPolicies?: readonly string[];
  /** For those who may ask. */
  readonly explanation?: Explanation;
}

/** From draft-ietf-httpapi-ratelimit-headers-10, section 5. */
const QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded";

interface FaultRow {
  readonly status: number;
  readonly flag?: ResponseFlag;
  readonly code: ErrorCode;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Every fault for which the proxy answers by itself. The statuses and flags are Envoy's. */
const FAULTS = {
  bad_request: { status: 400, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  method_not_allowed: { status: 405, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  request_timeout: { status: 408, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  stream_idle_timeout: { status: 408, flag: "SI", code: "PURSER_PROXY_BAD_REQUEST" },
  expectation_failed: { status: 417, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  request_headers_too_large: { status: 431, flag: "DPE", code: "PURSER_PROXY_BAD_REQUEST" },
  route_not_found: { status: 404, flag: "NR", code: "PURSER_PROXY_NO_ROUTE" },
  route_match_too_long: { status: 431, flag: "DPE", code: "PURSER_PROXY_MATCH_TOO_LONG" },
  no_healthy_upstream: { status: 503, flag: "UH", code: "PURSER_PROXY_NO_ENDPOINT" },
  upstream_overflow: {
    status: 503,
    flag: "UO",
    code: "PURSER_PROXY_OVERFLOW",
    headers: [["x-envoy-overloaded", "true"]],
  },
  upstream_connect_failure: { status: 503, flag: "UF", code: "PURSER_PROXY_UPSTREAM" },
  upstream_reset: { status: 503, flag: "UC", code: "PURSER_PROXY_UPSTREAM" },
  upstream_protocol_error: { status: 502, flag: "UPE", code: "PURSER_PROXY_UPSTREAM" },
  upstream_timeout: { status: 504, flag: "UT", code: "PURSER_PROXY_UPSTREAM_TIMEOUT" },
  internal_error: { status: 500, code: "PURSER_INTERNAL" },
} as const satisfies Readonly<Record<string, FaultRow>>;

export type FaultKind = keyof typeof FAULTS;

/** `detail` is for the client: what exactly, when the catalog's summary does not say it. */
export function faultReply(kind: FaultKind, detail?: string): LocalReply {
  const row: FaultRow = FAULTS[kind];
  return {
    status: row.status,
    ...(row.flag === undefined ? {} : { flag: row.flag }),
    details: kind,
    headers: [["x-purser-error", row.code], ...(row.headers ?? [])],
    body: {
      kind: "problem",
      problem: { code: row.code, detail: detail ?? ERROR_CATALOG[row.code].summary },
    },
  };
}

/** A VirtualService's fault rule. */
export function faultInjectedReply(status: number): LocalReply {
  const code = "PURSER_PROXY_FAULT_INJECTED";
  return {
    status,
    flag: "FI",
    details: "fault_filter_abort",
    headers: [["x-purser-error", code]],
    body: { kind: "problem", problem: { code, detail: ERROR_CATALOG[code].summary } },
  };
}

/** A policy's no. */
export function denialReply(code: StatusCode, message: string, decidedBy: DocumentRef): LocalReply {
  const policy = `${decidedBy.kind}/${decidedBy.name}`;
  return {
    status: errorStatus(code, 403),
    flag: "UAEX",
    details: "denied_by_policy",
    headers: [["x-purser-policy", policy]],
    body: { kind: "problem", problem: { detail: message, policy } },
  };
}

/** A quota's no. `retryAfterS` is in whole seconds, as Retry-After is. */
export function limitReply(message: string, decidedBy: DocumentRef, retryAfterS: number): LocalReply {
  const policy = `${decidedBy.kind}/${decidedBy.name}`;
  return {
    status: 429,
    flag: "RL",
    details: "limited_by_quota",
    headers: [
      ["retry-after", String(retryAfterS)],
      ["x-purser-policy", policy],
    ],
    body: {
      kind: "problem",
      problem: { type: QUOTA_EXCEEDED, detail: message, policy, violatedPolicies: [decidedBy.name] },
    },
  };
}

/** Nobody could decide, and that means no. Always 5xx: it must not look like a denial. */
export function undecidedReply(
  code: ErrorCode,
  status: { readonly code: StatusCode; readonly message: string },
  decidedBy: DocumentRef | undefined,
): LocalReply {
  const policy = decidedBy === undefined ? undefined : `${decidedBy.kind}/${decidedBy.name}`;
  const httpStatus = httpStatusOf(status.code);
  return {
    // A request that cannot be judged is its sender's fault; any other error must not look like a denial.
    status: httpStatus >= 500 || status.code === "INVALID_ARGUMENT" ? httpStatus : 503,
    flag: "UAEX",
    details: "policy_undecided",
    headers: [
      ["x-purser-error", code],
      ...(policy === undefined ? [] : [["x-purser-policy", policy] as const]),
    ],
    body: {
      kind: "problem",
      problem: {
        code,
        detail: status.message || ERROR_CATALOG[code].summary,
        ...(policy === undefined ? {} : { policy }),
      },
    },
  };
}

/** The same reply with the reasons in its problem details; one with a body of its own stays as it is. */
export function withExplanation(reply: LocalReply, explanation: Explanation): LocalReply {
  if (reply.body.kind !== "problem") return reply;
  return { ...reply, body: { kind: "problem", problem: { ...reply.body.problem, explanation } } };
}

/** A reply with a status and headers of its own: a redirect, a direct response of a route or a policy. */
export function plainReply(
  status: number,
  details: string,
  options: {
    readonly flag?: ResponseFlag;
    readonly headers?: readonly (readonly [string, string])[];
    readonly text?: string;
    readonly contentType?: string;
  } = {},
): LocalReply {
  const { flag, headers = [], text = "", contentType = "text/plain; charset=utf-8" } = options;
  return {
    status,
    ...(flag === undefined ? {} : { flag }),
    details,
    headers,
    body: text === "" ? { kind: "empty" } : { kind: "text", contentType, text },
  };
}

/** The reply as it goes out: RFC 9457 problem details unless it has a body of its own. */
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
  // A 204 or 304 has no content by its status alone (RFC 9110, section 8.6); a 205 says so by its length (15.3.6).
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
    case "problem": {
      const {
        type = "about:blank",
        detail,
        code,
        policy,
        violatedPolicies,
        explanation,
      } = reply.body.problem;
      const document = {
        type,
        title: type === QUOTA_EXCEEDED ? "Quota exceeded" : (STATUS_CODES[reply.status] ?? "Error"),
        status: reply.status,
        detail,
        code,
        policy,
        "violated-policies": violatedPolicies,
        requestId,
        explanation,
      };
      return { contentType: "application/problem+json", body: Buffer.from(`${JSON.stringify(document)}\n`) };
    }
  }
}

function errorStatus(code: StatusCode, fallback: number): number {
  const status = httpStatusOf(code);
  return status >= 400 ? status : fallback;
}
