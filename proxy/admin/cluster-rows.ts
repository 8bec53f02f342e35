// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClusterSet } from "../upstream/cluster-manager.ts";

/** One line of `GET /clusters`. */
export interface ClusterRow {
  /** The cluster, the endpoint if the line is about one, and the name of the figure. */
  readonly key: string;
  readonly value: number;
  /** Whether the figures of several workers add up; a weight is the same in each. */
  readonly adds: boolean;
}

/** The lines of Envoy's `GET /clusters` for which this proxy has counts. */
export function clusterRows({ endpoints: sets }: ClusterSet): readonly ClusterRow[] {
  const rows: ClusterRow[] = [];
  for (const [name, { cluster, endpoints }] of sets) {
    rows.push({
      key: `${name}::default_priority::max_requests`,
      value: cluster.config.maxRequests,
      adds: true,
    });
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
        rows.push({ key: `${prefix}::${figure}`, value, adds: true });
      rows.push({ key: `${prefix}::weight`, value: endpoint.weight, adds: false });
    }
  }
  return rows;
}

/** Joins the rows of several workers, in the order in which their keys first appear. */
export function joinClusterRows(workers: readonly (readonly ClusterRow[])[]): readonly ClusterRow[] {
  const joined = new Map<string, ClusterRow>();
  for (const row of workers.flat()) {
    const before = joined.get(row.key);
    if (before === undefined) joined.set(row.key, row);
    else if (row.adds) joined.set(row.key, { key: row.key, value: before.value + row.value, adds: true });
  }
  return [...joined.values()];
}

export function clustersText(rows: readonly ClusterRow[]): string {
  return rows.map(({ key, value }) => `${key}::${value}\n`).join("");
}
