// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { reasonPhraseOf } from "../../kernel/reason-phrases.ts";
import { type DocumentRef, formatDocumentRef } from "../check/document-ref.ts";

/** Problem details with the media type `application/problem+json` (RFC 9457). */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  /** The HTTP status. */
  readonly status: number;
  readonly detail: string;
  /** Set when the request could not be decided, or the proxy could not serve it. */
  readonly code?: ErrorCode;
  /** `Kind/name` of the document that decided. */
  readonly policy?: string;
  /** Display names of the exceeded quotas; a field of the same draft as the type. */
  readonly "violated-policies"?: readonly string[];
}

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/**
 * Problem details whose type is the HTTP status. The cases are written out: spreading optional members takes
 * ten times as long.
 */
export function problemDetails(
  status: number,
  detail: string,
  { code, policy }: Pick<ProblemDetails, "code" | "policy"> = NOTHING_MORE,
): ProblemDetails {
  const type = "about:blank";
  const title = reasonPhraseOf(status);
  if (policy === undefined)
    return code === undefined ? { type, title, status, detail } : { type, title, status, detail, code };
  return code === undefined
    ? { type, title, status, detail, policy }
    : { type, title, status, detail, code, policy };
}

const NOTHING_MORE: Pick<ProblemDetails, "code" | "policy"> = {};

/** Problem details of an exceeded quota: draft-ietf-httpapi-ratelimit-headers-10, section 5. */
export function quotaExceededDetails(detail: string, quota: DocumentRef): ProblemDetails {
  return {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Quota exceeded",
    status: 429,
    detail,
    policy: formatDocumentRef(quota),
    "violated-policies": [quota.name],
  };
}
