// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HttpResponse } from "../../../core/hooks/http-client.ts";
import { PurserError } from "../../../kernel/errors.ts";

/** Statuses below 500 that mean "try again": Request Timeout, Too Early, Too Many Requests (RFC 9110, 8470, 6585). */
const RETRYABLE: ReadonlySet<number> = new Set([408, 425, 429]);

/** Statuses from 500 on that no repetition changes: Not Implemented, HTTP Version Not Supported. */
const PERMANENT: ReadonlySet<number> = new Set([501, 505]);

/** Maximum length of the server's own words in a message, in characters. */
const MAX_EXCERPT = 200;

/**
 * The error of a response that is not 2xx, as `HttpClient.send` rejects with it; undefined for a 2xx.
 *
 * @param clock For a `Retry-After` that is a date.
 */
export function httpFailure(
  response: HttpResponse,
  clock: { readonly nowMs: () => number },
): PurserError | undefined {
  const { status } = response;
  if (status >= 200 && status < 300) return undefined;
  const message = `the server answered ${status}${excerptOf(response)}`;
  if (status === 413) return new PurserError("PURSER_REQUEST_TOO_LARGE", message, { details: { status } });
  const retryable = RETRYABLE.has(status) || (status >= 500 && !PERMANENT.has(status));
  const retryAfterMs = retryable ? retryAfterOf(response.headers["retry-after"], clock.nowMs()) : undefined;
  return new PurserError("PURSER_HANDLER_FAILED", message, {
    retryable,
    details: { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

/** The pause that a `Retry-After` asks for, in milliseconds: seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const dateMs = Date.parse(value);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

/** The beginning of a textual body on one line, for a message; empty when there is none. */
function excerptOf(response: HttpResponse): string {
  if (!/^(text\/|application\/(problem\+)?json)/.test(response.headers["content-type"] ?? "")) return "";
  const text = response
    .text()
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  if (text === "") return "";
  return `: ${text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text}`;
}
