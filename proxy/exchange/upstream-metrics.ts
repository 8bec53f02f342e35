// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

import type { ClusterSet } from "../upstream/cluster-manager.ts";

/**
 * Adds the metrics of clusters to the registry. Each is read at a scrape from counts that the clusters keep.
 *
 * @param clusters The newest clusters.
 */
export function addUpstreamMetrics(registry: Registry, clusters: () => ClusterSet): void {
  addLoadMetrics([registry], clusters);
  addEndpointMetrics([registry], clusters);
  addHealthMetrics([registry], clusters);
  addTlsMetrics([registry], clusters);
}

function addLoadMetrics(registers: Registry[], clusters: () => ClusterSet): void {
  new Gauge({
    name: "purser_proxy_upstream_requests_active",
    help: "Requests under way, by cluster.",
    labelNames: ["cluster"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { load }] of clusters().clusters) this.set({ cluster }, load.active);
    },
  });
  new Counter({
    name: "purser_proxy_upstream_overflows_total",
    help: "Requests refused because too many were under way or waited for a connection, by cluster.",
    labelNames: ["cluster"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { load }] of clusters().clusters) this.inc({ cluster }, load.overflowsTotal);
    },
  });
  new Counter({
    name: "purser_proxy_upstream_retry_overflows_total",
    help: "Retries that were not made because too many were under way, by cluster.",
    labelNames: ["cluster"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { load }] of clusters().clusters) this.inc({ cluster }, load.retryOverflowsTotal);
    },
  });
}

/** Clusters without TLS have no samples. */
function addTlsMetrics(registers: Registry[], clusters: () => ClusterSet): void {
  new Counter({
    name: "purser_proxy_upstream_tls_faults_total",
    help: "Connections to endpoints that did not open because of TLS, by cluster and reason.",
    labelNames: ["cluster", "reason"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { load }] of clusters().clusters)
        for (const [reason, count] of load.tlsFaults.counts) this.inc({ cluster, reason }, count);
    },
  });
}

/** Each worker judges endpoints by itself, so their numbers do not add up. */
function addEndpointMetrics(registers: Registry[], clusters: () => ClusterSet): void {
  new Gauge({
    name: "purser_proxy_upstream_endpoints",
    help: "Endpoints, by cluster.",
    labelNames: ["cluster"],
    aggregator: "max",
    registers,
    collect() {
      this.reset();
      for (const [cluster, { endpoints }] of clusters().endpoints) this.set({ cluster }, endpoints.length);
    },
  });
  new Gauge({
    name: "purser_proxy_upstream_endpoints_healthy",
    help: "Endpoints that pass their health checks and are not ejected, by cluster; with workers, in the worker that has fewest.",
    labelNames: ["cluster"],
    aggregator: "min",
    registers,
    collect() {
      this.reset();
      for (const [cluster, { endpoints }] of clusters().endpoints)
        this.set({ cluster }, endpoints.filter(({ healthy }) => healthy).length);
    },
  });
}

/** Clusters without health checks or outlier detection have no samples. */
function addHealthMetrics(registers: Registry[], clusters: () => ClusterSet): void {
  new Counter({
    name: "purser_proxy_health_checks_total",
    help: "Active health checks that are over, by cluster and outcome.",
    labelNames: ["cluster", "outcome"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { config, load }] of clusters().clusters) {
        if (config.healthCheck === undefined) continue;
        for (const [outcome, count] of Object.entries(load.health.checks))
          this.inc({ cluster, outcome }, count);
      }
    },
  });
  new Counter({
    name: "purser_proxy_outlier_ejections_total",
    help: "Endpoints that outlier detection ejected, or (outcome overflow) left because enough were ejected, by cluster and reason.",
    labelNames: ["cluster", "reason", "outcome"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { config, load }] of clusters().clusters) {
        if (config.outlierDetection === undefined) continue;
        const { ejections, ejectionOverflows } = load.health;
        for (const [reason, count] of Object.entries(ejections))
          this.inc({ cluster, reason, outcome: "ejected" }, count);
        for (const [reason, count] of Object.entries(ejectionOverflows))
          this.inc({ cluster, reason, outcome: "overflow" }, count);
      }
    },
  });
}
