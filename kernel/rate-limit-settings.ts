// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Forms in which clients are told of quotas. `RATELIMIT`: `RateLimit-Policy` and `RateLimit` of
 * draft-ietf-httpapi-ratelimit-headers-11. `RATELIMIT_DRAFT_7`: the same names with the values of draft 07.
 * `X_RATELIMIT`: `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
 */
export const RATE_LIMIT_FORMS = ["RATELIMIT", "RATELIMIT_DRAFT_7", "X_RATELIMIT"] as const;
export type RateLimitForm = (typeof RATE_LIMIT_FORMS)[number];

/** The treatment of the upstream's own fields of the same names. */
export const UPSTREAM_RATE_LIMITS = ["MERGE", "REPLACE"] as const;
export type UpstreamRateLimits = (typeof UPSTREAM_RATE_LIMITS)[number];

/** The MeshConfig's settings for response headers about quotas. */
export interface RateLimitSettings {
  /** Each at most once; `RATELIMIT` and `RATELIMIT_DRAFT_7` exclude each other. Empty: no fields. */
  readonly forms: readonly RateLimitForm[];
  readonly upstream: UpstreamRateLimits;
  /** Whether replies say in `x-purser-quota-state` how their quotas were counted. */
  readonly quotaState: boolean;
}

/** The settings of a mesh whose MeshConfig has none. */
export const DEFAULT_RATE_LIMIT_SETTINGS: RateLimitSettings = {
  forms: ["RATELIMIT"],
  upstream: "MERGE",
  quotaState: false,
};
