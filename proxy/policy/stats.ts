// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The client's counters, under the names of Mixer's client where it had the same (istio/proxy
 * src/envoy/utils/stats.h, without `total_`).
 */
export function createClientStats() {
  return {
    check_calls: 0,
    check_cache_hits: 0,
    check_cache_misses: 0,
    check_cache_hit_accepts: 0,
    check_cache_hit_denies: 0,
    /** Decisions that may not be cached, or not by this client. */
    check_cache_unfit: 0,
    check_cache_flushes: 0,
    remote_check_calls: 0,
    remote_check_accepts: 0,
    remote_check_denies: 0,
    /** Requests that a failure policy decided, because the mixer could not be asked. */
    check_fallbacks: 0,
    quota_calls: 0,
    quota_cache_hits: 0,
    quota_cache_misses: 0,
    quota_cache_hit_accepts: 0,
    quota_cache_hit_denies: 0,
    /** Quotas in shadow mode that would have refused. */
    quota_shadow_denies: 0,
    /** Requests with quotas, by the least exact way in which one of them was counted. */
    quota_state_exact: 0,
    quota_state_leased: 0,
    quota_state_local: 0,
    quota_state_allowed_uncounted: 0,
    remote_quota_calls: 0,
    remote_quota_accepts: 0,
    remote_quota_denies: 0,
    remote_quota_prefetch_calls: 0,
    /** Leased amounts that went back unused. */
    quota_given_back: 0,
    /** Reservations that were settled when their requests ended. */
    quota_settled: 0,
    /** Settlements whose expression had no amount, so that `chargeWhenAbsent` decided. */
    quota_settled_absent: 0,
    /** Slots of requests under way that the store counted anew before their leases ended. */
    quota_slots_renewed: 0,
    /** Slots that could not be renewed: the store may grant them to others, while their requests go on. */
    quota_slots_lost: 0,
    /** Amounts used beyond a reservation for which the limit had no room. */
    quota_overspent: 0,
    /** Requests that waited for a quota and were then charged. */
    quota_queued: 0,
    /** Requests that waited for a quota in vain. */
    quota_queue_timeouts: 0,
    /** Requests that found a quota's queue full. */
    quota_queue_full: 0,
    /** Requests whose clients left while they waited. */
    quota_queue_left: 0,
    /** Charges that were made to another quota instead. */
    quota_drawn: 0,
    /** Requests that were degraded instead of charged. */
    quota_degraded: 0,
    quota_stale: 0,
    /** Grants that arrived after they had expired, and went back. */
    quota_late: 0,
    remote_calls: 0,
    remote_call_successes: 0,
    remote_call_timeouts: 0,
    remote_call_errors: 0,
    /** Calls not made because the circuit breaker was open. */
    remote_call_short_circuits: 0,
    /** Bags: `report_calls` = `reported_bags` + all `report_drops_*` + the bags that wait. */
    report_calls: 0,
    /** Bags that the mixer accepted. */
    reported_bags: 0,
    remote_report_calls: 0,
    remote_report_successes: 0,
    remote_report_retries: 0,
    /** Dropped bags (not batches; so are the counters below): the oldest bags, when the queue was full. */
    report_drops_overflow: 0,
    /** Sent but never accepted before the proxy closed. */
    report_drops_unavailable: 0,
    /** Refused by the mixer for good. */
    report_drops_refused: 0,
    /** Never sent before the proxy closed. */
    report_drops_closed: 0,
    /** Given up without an answer: they may have arrived. */
    report_drops_unconfirmed: 0,
  };
}

export type ClientStats = ReturnType<typeof createClientStats>;
