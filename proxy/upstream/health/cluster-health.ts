// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ActiveHealth, type CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import { OutlierDetector, type OutlierEvents } from "../../../core/traffic/health/outlier-detector.ts";
import type { EjectionReason } from "../../../core/traffic/health/outlier-monitor.ts";
import type { HealthCheck } from "../../../core/traffic/resources/health-check.ts";
import type { OutlierDetection } from "../../../core/traffic/resources/outlier-detection.ts";
import type { Cancel, Runtime } from "../../../kernel/ports.ts";
import type { Transport } from "../../transport/contract/transport.ts";
import type { EndpointSet } from "../endpoint-set.ts";
import type { Upstream } from "../upstream.ts";
import type { CheckQueue } from "./check-queue.ts";
import { CheckSession } from "./check-session.ts";
import type { HealthCounts } from "./health-counts.ts";
import type { HealthLog } from "./health-log.ts";
import { createProbe } from "../../transport/probes/create-probe.ts";

export interface HealthServices {
  readonly transport: Transport;
  readonly runtime: Runtime;
  readonly queue: CheckQueue;
  readonly log: HealthLog;
}

/**
 * The health of one cluster's endpoints, across all versions of its settings and endpoints: it runs the active
 * checks and the outlier detection of the newest version, and rebuilds the load balancers of all versions in
 * use when an endpoint's health changes. An endpoint's state lives in its `Upstream`, so that it survives a
 * new version. An endpoint that leaves the newest version is checked no more.
 */
export class ClusterHealth implements OutlierEvents<Upstream> {
  readonly #cluster: string;
  readonly #counts: HealthCounts;
  readonly #services: HealthServices;
  /** The versions in use. */
  readonly #sets = new Set<EndpointSet>();
  /** The endpoints of the newest version, each with its checks, if there are any. */
  readonly #members = new Map<Upstream, CheckSession | undefined>();
  #healthCheck: HealthCheck | undefined;
  #detector: OutlierDetector<Upstream> | undefined;
  #cancelSweeps: Cancel | undefined;
  #hasTraffic = false;

  /** @param cluster The cluster's name. */
  constructor(cluster: string, counts: HealthCounts, services: HealthServices) {
    this.#cluster = cluster;
    this.#counts = counts;
    this.#services = services;
  }

  /** Puts the cluster's newest version in force. */
  update(set: EndpointSet): void {
    const { healthCheck, outlierDetection } = set.cluster.config;
    this.#sets.add(set);
    const upstreams = new Set(set.endpoints.map(({ upstream }) => upstream));
    for (const upstream of this.#members.keys()) if (!upstreams.has(upstream)) this.#leave(upstream);
    for (const upstream of upstreams)
      if (!this.#members.has(upstream)) this.#members.set(upstream, undefined);
    this.#useOutlierDetection(outlierDetection);
    this.#useHealthCheck(healthCheck);
    this.#refresh();
  }

  /** No request uses the version any more. */
  release(set: EndpointSet): void {
    this.#sets.delete(set);
  }

  /** Ends all checks and ejections; every endpoint counts as healthy then. */
  close(): void {
    this.#useOutlierDetection(undefined);
    this.#useHealthCheck(undefined);
    this.#refresh();
  }

  onEjected(upstream: Upstream, reason: EjectionReason): void {
    this.#counts.ejections[reason]++;
    this.#services.log.unhealthy({ ...this.#namesOf(upstream), ejectedFor: reason });
    this.#refresh();
  }

  onEjectionOverflow(_upstream: Upstream, reason: EjectionReason): void {
    this.#counts.ejectionOverflows[reason]++;
  }

  onReturned(upstream: Upstream): void {
    this.#services.log.healthy({ ...this.#namesOf(upstream), after: "ejection" });
    this.#refresh();
  }

  #leave(upstream: Upstream): void {
    this.#hasTraffic ||= upstream.requestsTotal > 0;
    this.#members.get(upstream)?.close();
    this.#members.delete(upstream);
    if (upstream.monitor !== undefined) this.#detector?.remove(upstream.monitor);
    upstream.monitor = undefined;
    upstream.checks = undefined;
  }

  #useOutlierDetection(settings: OutlierDetection | undefined): void {
    const { clock, scheduler } = this.#services.runtime;
    if (settings === undefined) {
      this.#cancelSweeps?.();
      this.#cancelSweeps = undefined;
      this.#detector = undefined;
      for (const upstream of this.#members.keys()) upstream.monitor = undefined;
      return;
    }
    const intervalBeforeMs = this.#detector?.settings.intervalMs;
    this.#detector ??= new OutlierDetector(settings, clock, this);
    const detector = this.#detector;
    detector.settings = settings;
    for (const upstream of this.#members.keys()) upstream.monitor ??= detector.add(upstream);
    if (settings.intervalMs === intervalBeforeMs) return;
    this.#cancelSweeps?.();
    this.#cancelSweeps = scheduler.every(settings.intervalMs, () => detector.sweep());
  }

  #useHealthCheck(settings: HealthCheck | undefined): void {
    const isSame = JSON.stringify(settings) === JSON.stringify(this.#healthCheck);
    this.#healthCheck = settings;
    for (const [upstream, session] of this.#members) {
      if (isSame && session !== undefined) continue;
      session?.close();
      this.#members.set(upstream, settings && this.#startChecks(upstream, settings));
      if (settings === undefined) upstream.checks = undefined;
    }
  }

  #startChecks(upstream: Upstream, settings: HealthCheck): CheckSession {
    const { transport, queue, runtime } = this.#services;
    const checks = (upstream.checks ??= new ActiveHealth(settings));
    checks.thresholds = settings;
    return new CheckSession(settings, createProbe(settings.probe, upstream.settings, transport), {
      queue,
      scheduler: runtime.scheduler,
      random: runtime.random,
      hasTraffic: () => this.#hasHadTraffic(),
      onOutcome: (outcome) => this.#onOutcome(upstream, checks, outcome),
    });
  }

  #onOutcome(upstream: Upstream, checks: ActiveHealth, outcome: CheckOutcome): void {
    this.#counts.checks[outcome]++;
    const { state: before } = checks;
    const changed = checks.onOutcome(outcome);
    // As in Envoy (successful_active_health_check_uneject_host), a check that succeeds ends an ejection.
    if (outcome === "success" && checks.state === "healthy" && upstream.monitor !== undefined)
      this.#detector?.return(upstream.monitor);
    if (!changed) return;
    const names = this.#namesOf(upstream);
    if (checks.state === "unhealthy") this.#services.log.unhealthy({ ...names, check: outcome });
    else if (before === "unhealthy") {
      // As in Envoy: it may have been started anew, so it gets few requests at first. An ejection ends without this.
      upstream.readySinceMs = this.#services.runtime.clock.monotonicMs();
      this.#services.log.healthy({ ...names, after: "checks" });
    }
    this.#refresh();
  }

  /**
   * Recomputes every endpoint's health, and rebuilds the load balancers if one has changed. An endpoint that
   * has not been checked yet counts as unhealthy, unless no other endpoint is known to be healthy: a new
   * endpoint must not fail requests, and a new cluster must not refuse them until its first checks are over.
   */
  #refresh(): void {
    let isOneKnown = false;
    for (const { checks, monitor } of this.#members.keys())
      if (checks?.state === "healthy" && monitor?.isEjected !== true) isOneKnown = true;
    let changed = false;
    for (const upstream of this.#members.keys()) {
      const { checks, monitor } = upstream;
      const passes =
        checks === undefined || checks.state === "healthy" || (checks.state === "unchecked" && !isOneKnown);
      const healthy = passes && monitor?.isEjected !== true;
      changed ||= healthy !== upstream.healthy;
      upstream.healthy = healthy;
    }
    if (changed) for (const set of this.#sets) set.rebalance();
  }

  #hasHadTraffic(): boolean {
    if (!this.#hasTraffic)
      for (const { requestsTotal } of this.#members.keys()) if (requestsTotal > 0) this.#hasTraffic = true;
    return this.#hasTraffic;
  }

  #namesOf({ endpoint: { address, port } }: Upstream): {
    readonly cluster: string;
    readonly endpoint: string;
  } {
    return { cluster: this.#cluster, endpoint: `${address}:${port}` };
  }
}
