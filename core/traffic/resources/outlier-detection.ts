// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Passive health checking: endpoints that fail requests are ejected for a while. The fields are Istio's, with
 * its defaults filled in.
 */
export interface OutlierDetection {
  /** Consecutive 5xx responses, or failures that count as one, that eject an endpoint; 0 for off. */
  readonly consecutive5xxErrors: number;
  /** The same for 502, 503 and 504; 0 for off. */
  readonly consecutiveGatewayErrors: number;
  /** Whether failures without a response are counted apart from responses. */
  readonly splitExternalLocalOriginErrors: boolean;
  /** Consecutive failures without a response that eject an endpoint, when they are counted apart; 0 for off. */
  readonly consecutiveLocalOriginFailures: number;
  /** Time between two sweeps, which end ejections. */
  readonly intervalMs: number;
  /** An endpoint's n-th ejection in a row lasts n times as long. */
  readonly baseEjectionMs: number;
  /** Maximum part of the cluster's endpoints that is ejected, 1 to 100; one endpoint may be in any case. */
  readonly maxEjectionPercent: number;
  /**
   * Healthy part of the cluster's endpoints below which health is ignored and all of them are used (Envoy's panic
   * threshold), 0 to 100; 0 for never.
   */
  readonly minHealthPercent: number;
}
