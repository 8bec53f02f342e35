// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Timeout of a check with an explanation, which costs many times what a plain check does. A person waits for
 * it.
 */
export const EXPLAIN_TIMEOUT_MS = 5_000;

/** Settings of a policy client. The defaults suit most meshes. */
export interface PolicyClientSettings {
  /**
   * Maximum number of cached decisions; default 10 000, as in Mixer's client. 0 turns the cache off.
   * Eviction: the oldest that is not in use (kernel/sieve-cache.ts).
   */
  readonly maxDecisions: number;
  /**
   * Maximum total size of cache keys, in characters, so that long headers cannot fill the memory; default 16
   * million.
   */
  readonly maxDecisionCharacters: number;
  /**
   * Maximum number of shapes (sets of attributes that decisions read); default 64. Eviction: the least useful
   * shape.
   */
  readonly maxShapes: number;
  /**
   * Maximum number of counts with leases; default 10 000. Eviction: the oldest that is not in use gives
   * its grants back.
   */
  readonly maxLeasePools: number;
  /** Timeout of a check or allocation, in milliseconds; default 1000. */
  readonly callTimeoutMs: number;
  /** Consecutive failures after which the circuit breaker opens; default 3. */
  readonly breakerFailures: number;
  /** Maximum time, in milliseconds, until one request tries the mixer again; default 250. */
  readonly breakerOpenMs: number;
  /** Maximum number of bags in a report; default 100. */
  readonly reportBatchSize: number;
  /** Maximum time that a bag waits for its report to fill, in milliseconds; default 1000. */
  readonly reportLingerMs: number;
  /** Maximum number of bags in the queue; default 10 000. Overflow: the oldest batch is dropped. */
  readonly maxReportBags: number;
  /** Maximum number of reports under way at once; default 4. */
  readonly maxReportsInFlight: number;
  /** Timeout of a report, in milliseconds; default 5000. */
  readonly reportTimeoutMs: number;
}

export const DEFAULT_POLICY_CLIENT_SETTINGS: PolicyClientSettings = {
  maxDecisions: 10_000,
  maxDecisionCharacters: 16_000_000,
  maxShapes: 64,
  maxLeasePools: 10_000,
  callTimeoutMs: 1_000,
  breakerFailures: 3,
  breakerOpenMs: 250,
  reportBatchSize: 100,
  reportLingerMs: 1_000,
  maxReportBags: 10_000,
  maxReportsInFlight: 4,
  reportTimeoutMs: 5_000,
};
