// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An explanation costs many times what a decision does, and it is a person who waits. */
export const EXPLAIN_TIMEOUT_MS = 5_000;

/** How a policy client behaves. Every default serves; tests and large meshes change some. */
export interface PolicyClientSettings {
  /** Decisions kept at most; default 10 000, Mixer's number. 0 turns the cache off. Overflow: least recently used. */
  readonly maxDecisions: number;
  /** Characters of cache keys kept at most, so that long headers cannot fill the memory; default 16 million. */
  readonly maxDecisionCharacters: number;
  /** Distinct sets of attributes that decisions read; default 64. Overflow: the least useful one. */
  readonly maxShapes: number;
  /** Counts for which amounts are held; default 10 000. Overflow: the least recently used gives back what it has. */
  readonly maxLeasePools: number;
  /** What a check and an allocation may take, in milliseconds; default 1000. */
  readonly callTimeoutMs: number;
  /** Failures in a row after which the mixer is asked no more for a while; default 3. */
  readonly breakerFailures: number;
  /** How long at most, in milliseconds, until one request tries it again; default 250. */
  readonly breakerOpenMs: number;
  /** Bags in a report; default 100. */
  readonly reportBatchSize: number;
  /** How long a bag waits for others, in milliseconds; default 1000. */
  readonly reportLingerMs: number;
  /** Bags that wait to be sent at most; default 10 000. Overflow: the oldest batch is dropped. */
  readonly maxReportBags: number;
  /** Reports under way at once; default 4. */
  readonly maxReportsInFlight: number;
  /** What a report may take, in milliseconds; default 5000. */
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
