// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../../kernel/ports.ts";
import type { OutlierDetection } from "../resources/outlier-detection.ts";
import {
  EJECTION_REASONS,
  type EjectionReason,
  type MonitorOwner,
  OutlierMonitor,
} from "./outlier-monitor.ts";

/** Envoy's default of max_ejection_time, which Istio does not change: the longest ejection. */
const MAX_EJECTION_MS = 300_000;

/** Receives the changes that a detector makes. */
export interface OutlierEvents<H> {
  onEjected(host: H, reason: EjectionReason): void;
  /** The endpoint broke a rule and stays, because enough endpoints are ejected already. */
  onEjectionOverflow(host: H, reason: EjectionReason): void;
  onReturned(host: H): void;
}

/**
 * Outlier detection of one cluster by consecutive failures, with Envoy's algorithm
 * (source/common/upstream/outlier_detection_impl.cc). An endpoint that breaks a rule is ejected if no more
 * than `maxEjectionPercent` of the endpoints are then ejected, or if it is the only one: Envoy's
 * `always_eject_one_host`, without which Istio's default of 10 % would eject nothing from fewer than ten
 * endpoints. Every `intervalMs` a sweep ends the ejections that have lasted `baseEjectionMs` × multiplier,
 * 300 s at most (or the base time, if that is longer). Each ejection raises the endpoint's multiplier by one,
 * and each sweep, one interval after its return or later, lowers it by one.
 */
export class OutlierDetector<H> implements MonitorOwner<H> {
  /** May be replaced at any time; counts and ejections stay. */
  settings: OutlierDetection;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #events: OutlierEvents<H>;
  readonly #monitors = new Set<OutlierMonitor<H>>();
  #ejected = 0;

  constructor(settings: OutlierDetection, clock: Pick<Clock, "monotonicMs">, events: OutlierEvents<H>) {
    this.settings = settings;
    this.#clock = clock;
    this.#events = events;
  }

  /** Number of endpoints that are ejected now. */
  get ejectedCount(): number {
    return this.#ejected;
  }

  /** Adds an endpoint, without a past. */
  add(host: H): OutlierMonitor<H> {
    const monitor = new OutlierMonitor(host, this);
    this.#monitors.add(monitor);
    return monitor;
  }

  /** Removes an endpoint; its later failures mean nothing. */
  remove(monitor: OutlierMonitor<H>): void {
    if (this.#monitors.delete(monitor) && monitor.isEjected) this.#ejected--;
  }

  onOutlier(monitor: OutlierMonitor<H>, reason: EjectionReason): void {
    if (monitor.isEjected || !this.#monitors.has(monitor)) return;
    // The endpoint must break the rule anew before the next ejection, even if it stays now.
    monitor.forget(reason);
    const { baseEjectionMs, maxEjectionPercent } = this.settings;
    const fits = (this.#ejected + 1) * 100 <= maxEjectionPercent * this.#monitors.size;
    if (!fits && this.#ejected > 0) return this.#events.onEjectionOverflow(monitor.host, reason);
    this.#ejected++;
    monitor.ejectedAtMs = this.#clock.monotonicMs();
    // A multiplier beyond the longest ejection would only take longer to fall.
    if (monitor.multiplier * baseEjectionMs < this.#maxEjectionMs + baseEjectionMs) monitor.multiplier++;
    this.#events.onEjected(monitor.host, reason);
  }

  /** Ends the ejection of an endpoint, if it is ejected: an active health check succeeded. */
  return(monitor: OutlierMonitor<H>): void {
    if (!monitor.isEjected) return;
    this.#ejected--;
    monitor.ejectedAtMs = undefined;
    monitor.returnedAtMs = this.#clock.monotonicMs();
    for (const reason of EJECTION_REASONS) monitor.forget(reason);
    this.#events.onReturned(monitor.host);
  }

  /** Must be called every `intervalMs`. */
  sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    const { intervalMs, baseEjectionMs } = this.settings;
    for (const monitor of this.#monitors) {
      const { ejectedAtMs, multiplier } = monitor;
      if (ejectedAtMs === undefined) continue;
      const lastsMs = Math.min(baseEjectionMs * multiplier, this.#maxEjectionMs);
      if (nowMs - ejectedAtMs >= lastsMs) this.return(monitor);
    }
    for (const monitor of this.#monitors) {
      const { isEjected, returnedAtMs } = monitor;
      if (isEjected || returnedAtMs === undefined || monitor.multiplier === 0) continue;
      if (nowMs - returnedAtMs >= intervalMs) monitor.multiplier--;
    }
  }

  get #maxEjectionMs(): number {
    return Math.max(MAX_EJECTION_MS, this.settings.baseEjectionMs);
  }
}
