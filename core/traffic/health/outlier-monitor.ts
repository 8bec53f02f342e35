// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { OutlierDetection } from "../resources/outlier-detection.ts";

/** The rule that an endpoint broke; the words are those of metrics. */
export const EJECTION_REASONS = [
  "consecutive_5xx",
  "consecutive_gateway_errors",
  "consecutive_local_origin_failures",
] as const;

export type EjectionReason = (typeof EJECTION_REASONS)[number];

/** The detector of the cluster, as a monitor sees it. */
export interface MonitorOwner<H> {
  readonly settings: OutlierDetection;
  /** The endpoint broke the rule. The detector may or may not eject it. */
  onOutlier(monitor: OutlierMonitor<H>, reason: EjectionReason): void;
}

/**
 * The consecutive failures of one endpoint, and its ejection. The rules are Envoy's
 * (source/common/upstream/outlier_detection_impl.cc, DetectorHostMonitorImpl). Counting a response allocates
 * nothing.
 */
export class OutlierMonitor<H> {
  readonly host: H;
  readonly #owner: MonitorOwner<H>;
  #consecutive5xx = 0;
  #consecutiveGatewayErrors = 0;
  #consecutiveLocalOriginFailures = 0;
  /** Time of the current ejection; undefined while the endpoint is not ejected. The detector's own field. */
  ejectedAtMs: number | undefined = undefined;
  /** Time of the last return from an ejection. The detector's own field. */
  returnedAtMs: number | undefined = undefined;
  /** The last ejection lasts this many times the base time. The detector's own field. */
  multiplier = 0;

  constructor(host: H, owner: MonitorOwner<H>) {
    this.host = host;
    this.#owner = owner;
  }

  get isEjected(): boolean {
    return this.ejectedAtMs !== undefined;
  }

  /** Counts a response. @param status The HTTP status, or the HTTP status of a gRPC response's own status. */
  onResponse(status: number): void {
    this.#consecutiveLocalOriginFailures = 0;
    this.#count(status);
  }

  /**
   * Counts a failure without a response.
   *
   * @param status The status that stands for it while it is not counted apart: 504 for a timeout, else 503.
   */
  onLocalOriginFailure(status: 503 | 504): void {
    const { splitExternalLocalOriginErrors, consecutiveLocalOriginFailures } = this.#owner.settings;
    if (!splitExternalLocalOriginErrors) return this.#count(status);
    const failures = ++this.#consecutiveLocalOriginFailures;
    if (consecutiveLocalOriginFailures > 0 && failures >= consecutiveLocalOriginFailures)
      this.#owner.onOutlier(this, "consecutive_local_origin_failures");
  }

  /** Begins to count anew for one rule. */
  forget(reason: EjectionReason): void {
    switch (reason) {
      case "consecutive_5xx":
        this.#consecutive5xx = 0;
        return;
      case "consecutive_gateway_errors":
        this.#consecutiveGatewayErrors = 0;
        return;
      case "consecutive_local_origin_failures":
        this.#consecutiveLocalOriginFailures = 0;
        return;
    }
  }

  #count(status: number): void {
    if (status < 500) {
      this.#consecutive5xx = 0;
      this.#consecutiveGatewayErrors = 0;
      return;
    }
    const { consecutive5xxErrors, consecutiveGatewayErrors } = this.#owner.settings;
    if (status >= 502 && status <= 504) {
      const errors = ++this.#consecutiveGatewayErrors;
      if (consecutiveGatewayErrors > 0 && errors >= consecutiveGatewayErrors)
        this.#owner.onOutlier(this, "consecutive_gateway_errors");
    } else this.#consecutiveGatewayErrors = 0;
    const errors = ++this.#consecutive5xx;
    if (consecutive5xxErrors > 0 && errors >= consecutive5xxErrors)
      this.#owner.onOutlier(this, "consecutive_5xx");
  }
}
