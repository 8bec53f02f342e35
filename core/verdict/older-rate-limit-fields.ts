// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { numberText } from "../../kernel/number-text.ts";
import type { QuotaStanding } from "../quota/standing.ts";
import { type ExhaustedQuota, type RateLimitFields, wholeNumber, wholeSeconds } from "./rate-limit-fields.ts";

/** The state of one quota, for the forms that tell of one alone. */
export interface ShownQuota {
  readonly limit: number;
  readonly remaining: number;
  /** Time until the quota is available again, in whole seconds. */
  readonly resetS: number;
}

/**
 * The quota that older forms show: the exhausted one, otherwise the one with the least remaining amount, and
 * of equal ones the one that takes longest to be available again.
 *
 * @returns undefined when there is no quota.
 */
export function shownQuota(
  quotas: readonly QuotaStanding[],
  exhausted?: ExhaustedQuota,
): ShownQuota | undefined {
  let shown: ShownQuota | undefined;
  for (const { policy, limit, remaining, resetMs } of quotas) {
    const isExhausted = policy === exhausted?.policy;
    const quota = {
      limit: wholeNumber(limit),
      remaining: wholeNumber(remaining),
      resetS: isExhausted ? exhausted.retryAfterS : wholeSeconds(resetMs),
    };
    if (isExhausted) return quota;
    if (shown === undefined || isStricter(quota, shown)) shown = quota;
  }
  return shown;
}

/** Whether `a` leaves a client less than `b`. */
export function isStricter(a: Omit<ShownQuota, "limit">, b: Omit<ShownQuota, "limit">): boolean {
  return a.remaining === b.remaining ? a.resetS > b.resetS : a.remaining < b.remaining;
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-07: a list of limits with their
 * windows, and a dictionary about one of the quotas.
 */
export function draft7Fields(quotas: readonly QuotaStanding[], shown: ShownQuota): RateLimitFields {
  return {
    policy: quotas
      .map(({ limit, windowMs }) => `${wholeNumber(limit)};w=${wholeSeconds(windowMs)}`)
      .join(", "),
    standing: `limit=${shown.limit}, remaining=${numberText(shown.remaining)}, reset=${shown.resetS}`,
  };
}

/** Names of the fields of `X_RATELIMIT`: the limit, the remaining amount, and the seconds until more is available. */
export const X_RATELIMIT_NAMES = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] as const;

/** The values of `X_RATELIMIT_NAMES`, in this order. */
export function xRateLimitValues({ limit, remaining, resetS }: ShownQuota): readonly string[] {
  return [String(limit), numberText(remaining), String(resetS)];
}
