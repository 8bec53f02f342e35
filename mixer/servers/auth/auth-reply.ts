// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckReply } from "../../../api/mixer-service.ts";
import { headerBytesOf } from "../../../kernel/canonical/header-text.ts";
import { applyHeaderOperations } from "../../../core/verdict/header-operations.ts";
import { PROBLEM_MEDIA_TYPE } from "../../../core/verdict/problem-details.ts";
import {
  type HeaderField,
  httpReplyOf,
  type HttpReply,
  rateLimitHeaders,
} from "../../../core/verdict/reply.ts";
import type { RateLimitSettings } from "../../../kernel/rate-limit-settings.ts";
import type { Verdict } from "../../../core/verdict/verdict.ts";
import { verdictOf } from "../../../core/verdict/verdict-of.ts";
import type { AuthForm } from "./auth-request.ts";

/** The reply to the external proxy: 2xx lets the request pass, any other status refuses it. */
export interface AuthReply {
  readonly status: number;
  /** Values as Latin-1 text, one character per byte. */
  readonly headers: readonly HeaderField[];
  readonly body: string;
}

export function authReply(
  { decision, quotas }: CheckReply,
  form: AuthForm,
  settings?: RateLimitSettings,
): AuthReply {
  const verdict = verdictOf(decision, quotas);
  const reply = httpReplyOf(verdict, settings);
  const answer = reply === undefined ? passing(verdict, settings) : refusing(reply, verdict, form);
  return { ...answer, headers: answer.headers.map(([name, value]) => [name, headerBytesOf(value)]) };
}

/** The reply for an allowed request, with the policies' header changes for the external proxy to make. */
function passing(verdict: Verdict, settings: RateLimitSettings | undefined): AuthReply {
  const operations = [...verdict.responseHeaders, ...verdict.requestHeaders];
  const headers = [...applyHeaderOperations([], operations), ...rateLimitHeaders(verdict, settings)];
  return { status: 200, headers, body: "" };
}

/**
 * nginx accepts three statuses: 2xx, 401 and 403, and turns all others into 500. And a refusal whose policy
 * replies with 200 must not look like permission. In both cases the reply is 403, with the policy's status in
 * `x-purser-status`.
 */
function refusing({ httpStatus, headers, body }: HttpReply, verdict: Verdict, form: AuthForm): AuthReply {
  const { contentType, text } = contentOf(body);
  const own: readonly HeaderField[] =
    contentType === undefined ? headers : [["content-type", contentType], ...headers];
  const all = applyHeaderOperations(own, verdict.responseHeaders);
  const unclear =
    form === "nginx" ? httpStatus < 500 && httpStatus !== 401 && httpStatus !== 403 : httpStatus < 300;
  return unclear
    ? { status: 403, headers: [...all, ["x-purser-status", String(httpStatus)]], body: text }
    : { status: httpStatus, headers: all, body: text };
}

function contentOf(body: HttpReply["body"]): { readonly contentType?: string; readonly text: string } {
  switch (body.kind) {
    case "problem":
      return { contentType: PROBLEM_MEDIA_TYPE, text: `${JSON.stringify(body.problem)}\n` };
    case "text":
      return body;
    case "empty":
      return { text: "" };
  }
}
