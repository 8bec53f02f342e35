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
  /** Display names of the quotas that refused; a member of the two types of quotas. */
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

/** The registry of problem types that draft-ietf-httpapi-ratelimit-headers-11, section 10.2, adds its own to. */
const PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types";

/** Problem details of an exceeded quota: draft-ietf-httpapi-ratelimit-headers-11, sections 5.1 and 10.2.1. */
export function quotaExceededDetails(detail: string, quota: DocumentRef): ProblemDetails {
  return {
    type: `${PROBLEM_TYPES}#quota-exceeded`,
    title: "Quota Exceeded",
    status: 429,
    detail,
    policy: formatDocumentRef(quota),
    "violated-policies": [quota.name],
  };
}

/**
 * Problem details of a quota that cannot be counted, so that its failure policy refuses: sections 5.2 and
 * 10.2.2 of the same draft.
 */
export function reducedCapacityDetails(detail: string, quota: DocumentRef, code: ErrorCode): ProblemDetails {
  return {
    type: `${PROBLEM_TYPES}#temporary-reduced-capacity`,
    title: "Temporary Reduced Capacity",
    status: 503,
    detail,
    code,
    policy: formatDocumentRef(quota),
    "violated-policies": [quota.name],
  };
}
