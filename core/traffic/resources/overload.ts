// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { EnforcementMode } from "../../../kernel/enforcement-mode.ts";

/** How a proxy sheds requests to a cluster that gets more than it can answer: an Overload document. */
export interface OverloadSettings {
  /** The document's display name. */
  readonly document: string;
  readonly mode: EnforcementMode;
  /** An expression for a request's priority, 0 (first) to 7 (last); absent: all requests are equal. */
  readonly priority?: string;
  readonly limit: AdaptiveLimitSettings;
  /** Maximum number of requests that wait for a place; 0 for none. */
  readonly queueLength: number;
  /** Maximum time that a request waits for a place. */
  readonly queueTimeoutMs: number;
}

/** The controller of the number of requests under way; the defaults of the Overload document are Envoy's. */
export interface AdaptiveLimitSettings {
  readonly minConcurrency: number;
  readonly maxConcurrency: number;
  /** Time over which latencies are collected before the limit changes. */
  readonly updateIntervalMs: number;
  /** The percentile of the latencies that is compared with the baseline, 1 to 100. */
  readonly latencyPercentile: number;
  /** Time between two measurements of the baseline. */
  readonly baselineIntervalMs: number;
  /** Share of `baselineIntervalMs` by which a measurement may be later, at random, in percent. */
  readonly baselineJitterPercent: number;
  /** Number of requests of a measurement. */
  readonly baselineRequests: number;
  /** Latency above the baseline that is not yet a sign of overload, in percent of the baseline. */
  readonly baselineBufferPercent: number;
}
