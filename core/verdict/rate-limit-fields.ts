// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { serializeList } from "structured-headers";
import type { QuotaStanding } from "../quota/standing.ts";

/** An exceeded quota, and the time until the same request may succeed. */
interface ExhaustedQuota {
  readonly policy: string;
  readonly retryAfterS: number;
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-10: structured field lists (RFC
 * 9651) with one member for each quota, named by its policy. `t` is the time until more is available; for an
 * exhausted quota it equals Retry-After, which the draft does not allow to be earlier.
 */
export function rateLimitFields(
  quotas: readonly QuotaStanding[],
  exhausted?: ExhaustedQuota,
): { readonly policy: string; readonly standing: string } {
  return {
    policy: serializeList(
      quotas.map(({ policy, limit, windowMs }) => [
        fieldString(policy),
        new Map([
          ["q", wholeNumber(limit)],
          ["w", wholeSeconds(windowMs)],
        ]),
      ]),
    ),
    standing: serializeList(
      quotas.map(({ policy, remaining, resetMs }) => [
        fieldString(policy),
        new Map([
          ["r", wholeNumber(remaining)],
          ["t", policy === exhausted?.policy ? exhausted.retryAfterS : wholeSeconds(resetMs)],
        ]),
      ]),
    ),
  };
}

/** Whole seconds for Retry-After, at least 1: with 0 a client would retry at once. */
export function retryAfterSeconds(retryAfterMs: number): number {
  return Math.max(1, wholeSeconds(retryAfterMs));
}

function wholeSeconds(durationMs: number): number {
  return wholeNumber(Math.ceil(durationMs / 1000));
}

/** Structured fields allow integers of up to 15 digits. */
function wholeNumber(value: number): number {
  return Math.min(999_999_999_999_999, Math.max(0, Math.floor(value)));
}

/** Structured field strings are printable ASCII. */
function fieldString(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
