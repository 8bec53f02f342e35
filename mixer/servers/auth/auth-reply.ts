// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { STATUS_CODES } from "node:http";
import type { CheckReply } from "../../../api/mixer-service.ts";
import { headerBytesOf } from "../../../kernel/canonical/header-text.ts";
import type { DocumentRef } from "../../../core/check/document-ref.ts";
import type { ErrorCode } from "../../../kernel/error-catalog.ts";
import { isReservedHeader, isSingleHeader } from "../../../core/attributes/header-fields.ts";
import { httpStatusOf } from "../../../kernel/status.ts";
import { rateLimitFields, retryAfterSeconds, standingOf } from "../../../core/quota/rate-limit-fields.ts";
import type { HeaderOperation } from "../../../core/templates/instances.ts";
import { refusalOf } from "../../../core/quota/refusal.ts";
import type { AuthForm } from "./auth-request.ts";

/** What the other gateway is answered: 2xx lets its request pass, anything else does not. */
export interface AuthReply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly contentType: string;
  readonly body: string;
}

export function authReply(reply: CheckReply, form: AuthForm): AuthReply {
  const limited = quotaRefusal(reply);
  const answer = answerTo(reply, limited, form);
  const headers = [...answer.headers, ...rateLimitHeaders(reply, limited)];
  return { ...answer, headers: headers.map(([name, value]) => [name, headerBytesOf(value)]) };
}

function answerTo({ decision }: CheckReply, limited: QuotaRefusal | undefined, form: AuthForm): AuthReply {
  if (decision.directResponse !== undefined && limited === undefined) {
    const { httpStatus, headers, body } = decision.directResponse;
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    const all = applied(decision.responseHeaders, own);
    const contentType = all.findLast(([name]) => name === "content-type")?.[1] ?? "text/plain; charset=utf-8";
    const others = all.filter(([name]) => name !== "content-type");
    return refusal(form, httpStatus, others, contentType, body);
  }
  if (decision.status.code !== "OK") {
    const code = decision.reason?.kind === "error" ? decision.reason.code : undefined;
    const status = httpStatusOf(decision.status.code);
    return problem(
      form,
      status,
      decision.status.message,
      decision.decidedBy,
      code,
      applied(decision.responseHeaders),
    );
  }
  if (limited !== undefined) {
    const { message, policy, retryAfterS, code } = limited;
    const status = code === undefined ? 429 : 503;
    const retryAfter = ["retry-after", String(retryAfterS)] as const;
    return problem(form, status, message, { kind: "QuotaPolicy", name: policy }, code, [retryAfter]);
  }
  return {
    status: 200,
    headers: applied([...decision.responseHeaders, ...decision.requestHeaders]),
    contentType: "text/plain; charset=utf-8",
    body: "",
  };
}

interface QuotaRefusal {
  readonly policy: string;
  readonly message: string;
  readonly retryAfterS: number;
  /** Set when nobody could count. */
  readonly code: ErrorCode | undefined;
}

function quotaRefusal({ decision, quotas }: CheckReply): QuotaRefusal | undefined {
  const refusal = refusalOf(decision.charges, quotas);
  if (refusal === undefined) return undefined;
  const { charge, retryAfterMs, failure } = refusal;
  return {
    policy: charge.policy,
    message: charge.message,
    retryAfterS: retryAfterSeconds(retryAfterMs),
    code: failure?.code,
  };
}

/** How the enforced quotas stand that govern the request; none for those that nobody could count. */
function rateLimitHeaders(
  { decision, quotas }: CheckReply,
  exhausted: QuotaRefusal | undefined,
): AuthReply["headers"] {
  const standings = decision.charges.flatMap((charge, index) => {
    const outcome = quotas[index];
    const counted = charge.mode === "enforce" && outcome !== undefined && outcome.failure === undefined;
    return counted ? [standingOf(charge, outcome)] : [];
  });
  if (standings.length === 0) return [];
  const { policy, standing } = rateLimitFields(standings, exhausted);
  return [
    ["ratelimit-policy", policy],
    ["ratelimit", standing],
  ];
}

/** The proxy's own form: problem details (RFC 9457), the policy in a header. */
function problem(
  form: AuthForm,
  status: number,
  detail: string,
  decidedBy: DocumentRef | undefined,
  code: ErrorCode | undefined,
  headers: readonly (readonly [string, string])[],
): AuthReply {
  const policy = decidedBy === undefined ? undefined : `${decidedBy.kind}/${decidedBy.name}`;
  const body = { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, code, policy };
  return refusal(
    form,
    status,
    [
      ...headers,
      ...(policy === undefined ? [] : [["x-purser-policy", policy] as const]),
      ...(code === undefined ? [] : [["x-purser-error", code] as const]),
    ],
    "application/problem+json",
    `${JSON.stringify(body)}\n`,
  );
}

/**
 * nginx knows three answers: 2xx, 401 and 403; all others it turns into 500. And no gateway may take a refusal for a
 * yes because its policy answers with 200. The status that is meant is then in `x-purser-status`.
 */
function refusal(
  form: AuthForm,
  meant: number,
  headers: AuthReply["headers"],
  contentType: string,
  body: string,
): AuthReply {
  const unclear = form === "nginx" ? meant < 500 && meant !== 401 && meant !== 403 : meant < 300;
  return {
    status: unclear ? 403 : meant,
    headers: unclear ? [...headers, ["x-purser-status", String(meant)]] : headers,
    contentType,
    body,
  };
}

/** The headers of an answer after header operations; `headers` are those that it has of its own. */
function applied(
  operations: readonly HeaderOperation[],
  headers: AuthReply["headers"] = [],
): AuthReply["headers"] {
  return operations.reduce((before, { operation, name, value }) => {
    if (isReservedHeader(name)) return before;
    const others = before.filter(([other]) => other !== name);
    if (operation === "remove" || value === undefined) return others;
    const kept = operation === "append" && !isSingleHeader(name) ? before : others;
    return [...kept, [name, value] as const];
  }, headers);
}
