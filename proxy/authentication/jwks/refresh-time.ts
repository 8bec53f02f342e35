// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Age of keys at which they are fetched again when the server sets none; Istio's refresh interval. */
const DEFAULT_REFRESH_MS = 20 * 60_000;

/** The bounds of what a server may set. Revoked keys are gone after the longest, and a server is not asked more often than the shortest. */
const MIN_REFRESH_MS = 5 * 60_000;
const MAX_REFRESH_MS = 20 * 60_000;

/**
 * Time from a fetch to the next, in milliseconds: `max-age` of Cache-Control (RFC 9111, section 5.2.2.1) within 5 and 20
 * minutes. `no-store` and `no-cache` mean 5 minutes: no issuer's server may be asked for every request.
 */
export function refreshMs(cacheControl: string | undefined): number {
  if (cacheControl === undefined) return DEFAULT_REFRESH_MS;
  if (/(?:^|[\s,])no-(?:store|cache)(?:$|[\s,=])/i.test(cacheControl)) return MIN_REFRESH_MS;
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1];
  if (seconds === undefined) return DEFAULT_REFRESH_MS;
  return Math.min(Math.max(Number(seconds) * 1_000, MIN_REFRESH_MS), MAX_REFRESH_MS);
}
