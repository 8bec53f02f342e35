// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** At most 1/20 of a limit is held ahead of need, whatever the demand. */
const LARGEST_SHARE = 20;
/** When less than this share of the limit remains, leases get shorter in proportion to the remainder. */
const FULL_LEASE_SHARE = 1 / 4;
/** Minimum lease time: a shorter lease is not worth a call. */
const MIN_LEASE_MS = 2;

/** A count as one of its proxies sees it. */
export interface LeaseNeed {
  readonly limit: number;
  /** Number of proxies that share the limit. */
  readonly proxies: number;
  /** Remainder of the limit at the store's last answer; infinite before the first. */
  readonly remaining: number;
  /** Demand at this proxy, in amounts per second. */
  readonly demandPerS: number;
  /** Time for which the lease is held, in milliseconds. */
  readonly leaseMs: number;
}

/** The largest amount that a proxy holds ahead of need, whatever its demand: its share of half the limit at most. */
export function largestLease(limit: number, proxies: number): number {
  return limit / Math.max(LARGEST_SHARE, 2 * proxies);
}

/**
 * The amount to hold: the likely use within a lease, capped so that other proxies get their share, and
 * shrinking as the count nears its limit. Whole.
 */
export function leaseTarget({ limit, proxies, remaining, demandPerS, leaseMs }: LeaseNeed): number {
  const likely = Math.ceil((demandPerS * leaseMs) / 1000);
  return Math.floor(Math.min(likely, largestLease(limit, proxies), remaining / (2 * proxies)));
}

/**
 * The lease time to ask for, in milliseconds: the charge's own, or less when little of the limit remains, since
 * a sliding window frees a leased amount only a window after the lease's end. 0 when the time is too short for a
 * lease.
 *
 * @param useMs Time that a grant needs to arrive; see UseTime.
 */
export function leaseTimeMs(
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
  remaining: number,
  useMs: number,
): number {
  const full = limit * FULL_LEASE_SHARE;
  const heldMs = remaining < full ? Math.floor((leaseMs * remaining) / full) : leaseMs;
  return heldMs < Math.max(MIN_LEASE_MS, useMs) ? 0 : heldMs;
}

/** An amount that is used once or twice within a lease is cheaper to ask for when it is needed. */
export function isWorthALease(target: number): boolean {
  return target >= 2;
}

/** Whether so little of the target is left that more must be asked for. */
export function isLow(available: number, target: number): boolean {
  return available < target / 2;
}
