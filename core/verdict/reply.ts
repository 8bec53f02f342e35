// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { httpStatusOf } from "../../kernel/status.ts";
import type { Decision } from "../check/decision.ts";
import { formatDocumentRef } from "../check/document-ref.ts";
import { type GrpcStatus, grpcStatusOf } from "./grpc-status.ts";
import {
  type ProblemDetails,
  problemDetails,
  quotaExceededDetails,
  reducedCapacityDetails,
} from "./problem-details.ts";
import {
  draft7Fields,
  type ShownQuota,
  shownQuota,
  X_RATELIMIT_NAMES,
  xRateLimitValues,
} from "./older-rate-limit-fields.ts";
import {
  type ExhaustedQuota,
  type RateLimitFields,
  rateLimitFields,
  retryAfterSeconds,
} from "./rate-limit-fields.ts";
import {
  DEFAULT_RATE_LIMIT_SETTINGS,
  type RateLimitForm,
  type RateLimitSettings,
} from "../../kernel/rate-limit-settings.ts";
import type { Verdict, VerdictOutcome } from "./verdict.ts";
import { NO_QUOTA_FACTS, verdictOfDecision } from "./verdict-of.ts";

/** A response in place of the upstream's, independent of server and protocol. */
export interface Reply {
  readonly httpStatus: number;
  /** Lower-case names, values as text; without Content-Type, which belongs to the body. */
  readonly headers: readonly HeaderField[];
  readonly body: ReplyBody;
  /** The same reply for a gRPC client. */
  readonly grpc: GrpcStatus;
}

export type HeaderField = readonly [name: string, value: string];

export type ReplyBody =
  | { readonly kind: "problem"; readonly problem: ProblemDetails }
  | { readonly kind: "text"; readonly contentType: string; readonly text: string }
  | { readonly kind: "empty" };

/** A reply without its form for gRPC clients, which costs as much again. */
export type HttpReply = Omit<Reply, "grpc">;

/**
 * The reply to a request that is not forwarded, because it is refused or answered by a policy; undefined for
 * a forwarded request. The verdict's `responseHeaders` are not applied: they apply to every response,
 * including the upstream's.
 */
export function replyOf(verdict: Verdict, settings?: RateLimitSettings): Reply | undefined {
  const reply = httpReplyOf(verdict, settings);
  if (reply === undefined) return undefined;
  const { httpStatus, headers, body } = reply;
  return { httpStatus, headers, body, grpc: grpcStatusOf(verdict) };
}

/** As `replyOf`, without the form for gRPC clients. */
export function httpReplyOf(
  verdict: Verdict,
  settings: RateLimitSettings = DEFAULT_RATE_LIMIT_SETTINGS,
): HttpReply | undefined {
  const answer = answerOf(verdict);
  if (answer === undefined) return undefined;
  const headers = outcomeHeaders(verdict.outcome);
  for (const header of answer.headers) headers.push(header);
  for (const field of rateLimitHeaders(verdict, settings)) headers.push(field);
  return { httpStatus: answer.httpStatus, headers, body: answer.body };
}

/** Whether the request is forwarded to its destination. */
export function isForwarded({ outcome, directResponse }: Verdict): boolean {
  return outcome.kind === "allow" && directResponse === undefined;
}

/** HTTP status for the client if all quotas grant; 200 when the request is forwarded. */
export function httpStatusOfDecision(decision: Decision): number {
  return httpReplyOf(verdictOfDecision(decision, NO_QUOTA_FACTS))?.httpStatus ?? 200;
}

/**
 * The fields about quotas for a response that has none of its own: those of the settings' forms, unless no quota
 * applies to the request, and the quotas' state.
 */
export function rateLimitHeaders(
  verdict: Verdict,
  { forms, quotaState }: RateLimitSettings = DEFAULT_RATE_LIMIT_SETTINGS,
): readonly HeaderField[] {
  const headers: HeaderField[] = [];
  for (const form of forms) addForm(headers, form, verdict);
  if (quotaState && verdict.quotaState !== undefined) headers.push([QUOTA_STATE_HEADER, verdict.quotaState]);
  return headers;
}

/** Response header with the state of the request's quotas, of `QUOTA_STATES`. */
export const QUOTA_STATE_HEADER = "x-purser-quota-state";

function addForm(headers: HeaderField[], form: RateLimitForm, verdict: Verdict): void {
  if (form === "RATELIMIT") {
    const fields = rateLimitOf(verdict);
    if (fields !== undefined)
      headers.push(["ratelimit-policy", fields.policy], ["ratelimit", fields.standing]);
    return;
  }
  const { quotas } = verdict;
  const shown = shownQuotaOf(verdict);
  if (shown === undefined) return;
  if (form === "RATELIMIT_DRAFT_7") {
    const fields = draft7Fields(quotas, shown);
    headers.push(["ratelimit-policy", fields.policy], ["ratelimit", fields.standing]);
  } else
    for (const [index, name] of X_RATELIMIT_NAMES.entries())
      headers.push([name, xRateLimitValues(shown)[index] as string]);
}

/** The quota that the older forms show; undefined when no quota applies to the request. */
export function shownQuotaOf({ quotas, outcome }: Verdict): ShownQuota | undefined {
  return shownQuota(quotas, exhaustedQuota(outcome));
}

/** Values of RateLimit-Policy and RateLimit; undefined when no quota applies to the request. */
export function rateLimitOf(verdict: Verdict): RateLimitFields | undefined {
  const { rateLimit } = verdict;
  if (rateLimit !== undefined) return rateLimit;
  const { quotas, outcome } = verdict;
  return quotas.length === 0 ? undefined : rateLimitFields(quotas, exhaustedQuota(outcome));
}

/** The quota that refuses the request, if one does. */
export function exhaustedQuota(outcome: VerdictOutcome): ExhaustedQuota | undefined {
  if (outcome.kind !== "limit") return undefined;
  return { policy: outcome.decidedBy.name, retryAfterS: retryAfterSeconds(outcome.retryAfterMs) };
}

type Refusal = Exclude<VerdictOutcome, { readonly kind: "allow" }>;

function answerOf({ outcome, directResponse }: Verdict): HttpReply | undefined {
  switch (outcome.kind) {
    case "allow":
      return directResponse === undefined ? undefined : directAnswer(directResponse);
    case "deny":
      return directResponse === undefined ? problemAnswer(outcome) : directAnswer(directResponse);
    case "limit":
    case "error":
      return problemAnswer(outcome);
  }
}

function directAnswer({ httpStatus, headers, body }: NonNullable<Verdict["directResponse"]>): HttpReply {
  const fields = Object.entries(headers).map(([name, value]): HeaderField => [name.toLowerCase(), value]);
  const contentType = fields.findLast(([name]) => name === "content-type")?.[1];
  return {
    httpStatus,
    headers: fields.filter(([name]) => name !== "content-type"),
    body:
      body === "" && contentType === undefined
        ? { kind: "empty" }
        : { kind: "text", contentType: contentType ?? "text/plain; charset=utf-8", text: body },
  };
}

function problemAnswer(refusal: Refusal): HttpReply {
  const problem = problemOf(refusal);
  return { httpStatus: problem.status, headers: [], body: { kind: "problem", problem } };
}

function problemOf(refusal: Refusal): ProblemDetails {
  const { status } = refusal;
  switch (refusal.kind) {
    case "deny": {
      const policy = formatDocumentRef(refusal.decidedBy);
      return problemDetails(httpStatusOf(status.code), status.message, { policy });
    }
    case "limit":
      return quotaExceededDetails(status.message, refusal.decidedBy);
    case "error": {
      const { code, decidedBy } = refusal;
      const detail = status.message || ERROR_CATALOG[code].summary;
      const httpStatus = httpStatusOf(status.code);
      if (decidedBy?.kind === "QuotaPolicy" && httpStatus === 503)
        return reducedCapacityDetails(detail, decidedBy, code);
      const more = decidedBy === undefined ? { code } : { code, policy: formatDocumentRef(decidedBy) };
      return problemDetails(httpStatus, detail, more);
    }
  }
}

function outcomeHeaders(outcome: VerdictOutcome): HeaderField[] {
  const headers: HeaderField[] = [];
  if (outcome.kind === "allow") return headers;
  if (outcome.kind === "error") headers.push(["x-purser-error", outcome.code]);
  if (outcome.kind === "limit")
    headers.push(["retry-after", String(retryAfterSeconds(outcome.retryAfterMs))]);
  if (outcome.decidedBy !== undefined)
    headers.push(["x-purser-policy", formatDocumentRef(outcome.decidedBy)]);
  return headers;
}
