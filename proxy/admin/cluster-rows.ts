// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { healthFlags, joinHealthFlags } from "./health-flags.ts";
import type { ClusterSet } from "../upstream/cluster-manager.ts";

/** One line of `GET /clusters`. */
export interface ClusterRow {
  /** The cluster, the endpoint if the line is about one, and the name of the figure. */
  readonly key: string;
  readonly value: number | string;
  /** How the values of several workers are joined; a weight is the same in each. */
  readonly join: "sum" | "first" | "health-flags";
}

/** The lines of Envoy's `GET /clusters` for which this proxy has counts. */
export function clusterRows({ endpoints: sets }: ClusterSet): readonly ClusterRow[] {
  const rows: ClusterRow[] = [];
  for (const [name, { cluster, endpoints }] of sets) {
    const { maxRequests, maxRetries } = cluster.config;
    rows.push({ key: `${name}::default_priority::max_requests`, value: maxRequests, join: "sum" });
    rows.push({ key: `${name}::default_priority::max_retries`, value: maxRetries, join: "sum" });
    for (const { endpoint, upstream } of endpoints) {
      const { connected, pending } = upstream.stats;
      const counts = {
        cx_active: connected,
        cx_connect_fail: upstream.connectFailuresTotal,
        rq_active: upstream.active,
        rq_pending: pending,
        rq_total: upstream.requestsTotal,
      };
      const prefix = `${name}::${endpoint.address}:${endpoint.port}`;
      for (const [figure, value] of Object.entries(counts))
        rows.push({ key: `${prefix}::${figure}`, value, join: "sum" });
      rows.push({ key: `${prefix}::health_flags`, value: healthFlags(upstream), join: "health-flags" });
      rows.push({ key: `${prefix}::weight`, value: endpoint.weight, join: "first" });
    }
  }
  return rows;
}

/** Joins the rows of several workers, in the order in which their keys first appear. */
export function joinClusterRows(workers: readonly (readonly ClusterRow[])[]): readonly ClusterRow[] {
  const joined = new Map<string, ClusterRow>();
  for (const row of workers.flat()) {
    const before = joined.get(row.key);
    joined.set(row.key, before === undefined ? row : { ...row, value: joinValues(before, row) });
  }
  return [...joined.values()];
}

function joinValues(before: ClusterRow, row: ClusterRow): number | string {
  switch (row.join) {
    case "sum":
      return Number(before.value) + Number(row.value);
    case "first":
      return before.value;
    case "health-flags":
      return joinHealthFlags(String(before.value), String(row.value));
  }
}

export function clustersText(rows: readonly ClusterRow[]): string {
  return rows.map(({ key, value }) => `${key}::${value}\n`).join("");
}
