// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isStricterXRateLimit, mergedLists, stricterDraft7 } from "../../core/verdict/merge-rate-limits.ts";
import {
  draft7Fields,
  X_RATELIMIT_NAMES,
  xRateLimitValues,
} from "../../core/verdict/older-rate-limit-fields.ts";
import type { RateLimitFields } from "../../core/verdict/rate-limit-fields.ts";
import type {
  RateLimitForm,
  RateLimitSettings,
  UpstreamRateLimits,
} from "../../kernel/rate-limit-settings.ts";
import { QUOTA_STATE_HEADER, rateLimitOf, shownQuotaOf } from "../../core/verdict/reply.ts";
import type { Verdict } from "../../core/verdict/verdict.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";

/**
 * Writes the fields about a request's quotas into the upstream's response, beside or in place of its own. Every
 * value is printable ASCII by the way it is made: numbers, and structured fields.
 */
export function writeRateLimitHeaders(
  headers: HeaderList,
  verdict: Verdict,
  { forms, upstream, quotaState }: RateLimitSettings,
): void {
  for (const form of forms) writeForm(headers, verdict, form, upstream);
  if (quotaState && verdict.quotaState !== undefined)
    headers.setPlain(QUOTA_STATE_HEADER, verdict.quotaState);
}

function writeForm(
  headers: HeaderList,
  verdict: Verdict,
  form: RateLimitForm,
  upstream: UpstreamRateLimits,
): void {
  switch (form) {
    case "RATELIMIT": {
      const fields = rateLimitOf(verdict);
      if (fields !== undefined) writeLists(headers, fields, upstream);
      break;
    }
    case "RATELIMIT_DRAFT_7":
      writeDraft7(headers, verdict, upstream);
      break;
    case "X_RATELIMIT":
      writeXRateLimit(headers, verdict, upstream);
      break;
  }
}

function writeLists(
  headers: HeaderList,
  { policy, standing }: RateLimitFields,
  upstream: UpstreamRateLimits,
): void {
  // Fast path: one pass over the names, 20 ns, where looking both fields up takes 60 ns.
  if (headers.findName(isRateLimitName) === undefined) {
    headers.appendPlain("ratelimit-policy", policy);
    headers.appendPlain("ratelimit", standing);
    return;
  }
  writeList(headers, "ratelimit-policy", policy, upstream);
  writeList(headers, "ratelimit", standing, upstream);
}

function isRateLimitName(name: string): boolean {
  return name.charCodeAt(0) === LETTER_R && (name === "ratelimit" || name === "ratelimit-policy");
}

const LETTER_R = 0x72;

function writeList(
  headers: HeaderList,
  name: string,
  ours: string,
  upstream: UpstreamRateLimits,
  type: "string" | "integer" = "string",
): void {
  const theirs = headers.get(name);
  const merges = upstream === "MERGE" && theirs !== undefined;
  headers.setPlain(name, merges ? mergedLists(ours, theirs, type) : ours);
}

function writeDraft7(headers: HeaderList, verdict: Verdict, upstream: UpstreamRateLimits): void {
  const shown = shownQuotaOf(verdict);
  if (shown === undefined) return;
  const { policy, standing } = draft7Fields(verdict.quotas, shown);
  writeList(headers, "ratelimit-policy", policy, upstream, "integer");
  const theirs = headers.get("ratelimit");
  const stricter = upstream === "MERGE" && theirs !== undefined ? stricterDraft7(shown, theirs) : undefined;
  headers.setPlain("ratelimit", stricter ?? standing);
}

function writeXRateLimit(headers: HeaderList, verdict: Verdict, upstream: UpstreamRateLimits): void {
  const shown = shownQuotaOf(verdict);
  if (shown === undefined) return;
  const theirs = X_RATELIMIT_NAMES.map((name) => headers.get(name));
  if (upstream === "MERGE" && isStricterXRateLimit(shown, theirs)) return;
  for (const [index, value] of xRateLimitValues(shown).entries())
    headers.setPlain(X_RATELIMIT_NAMES[index] as string, value);
}
