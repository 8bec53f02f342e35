// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

/** Counts of mutual TLS with other proxies, read at each scrape. */
export interface MeshCounts {
  readonly openCount: number;
  readonly revokedTotal: number;
  readonly credential: { readonly material: { readonly expiresAtMs: number } | undefined };
}

export function addMeshMetrics(registry: Registry, mesh: MeshCounts): void {
  const registers = [registry];
  new Gauge({
    name: "purser_proxy_mtls_connections",
    help: "Open connections with other proxies of the mesh by mutual TLS, in both directions.",
    registers,
    collect() {
      this.set(mesh.openCount);
    },
  });
  new Counter({
    name: "purser_proxy_mtls_revoked_connections_total",
    help: "Connections that were closed because the certificate of their peer was revoked.",
    registers,
    collect() {
      this.reset();
      this.inc(mesh.revokedTotal);
    },
  });
  new Gauge({
    name: "purser_proxy_workload_certificate_expiry_timestamp_seconds",
    help: "Unix time at which the workload's own certificate, or its trust bundle, ends; 0 while there is none.",
    aggregator: "min",
    registers,
    collect() {
      const { material } = mesh.credential;
      this.set(
        material === undefined || material.expiresAtMs === Infinity ? 0 : material.expiresAtMs / 1_000,
      );
    },
  });
}
