// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClusterSet } from "../upstream/cluster-manager.ts";

/** The text of Envoy's `GET /clusters`, with the lines for which this proxy has counts. */
export function clustersText({ endpoints: sets }: ClusterSet): string {
  const lines: string[] = [];
  for (const [name, { cluster, endpoints }] of sets) {
    lines.push(`${name}::default_priority::max_requests::${cluster.config.maxRequests}`);
    for (const { endpoint, upstream } of endpoints) {
      const prefix = `${name}::${endpoint.address}:${endpoint.port}`;
      const { connected, pending } = upstream.stats;
      lines.push(
        `${prefix}::cx_active::${connected}`,
        `${prefix}::cx_connect_fail::${upstream.connectFailuresTotal}`,
        `${prefix}::rq_active::${upstream.active}`,
        `${prefix}::rq_pending::${pending}`,
        `${prefix}::rq_total::${upstream.requestsTotal}`,
        `${prefix}::weight::${endpoint.weight}`,
      );
    }
  }
  return lines.map((line) => `${line}\n`).join("");
}
