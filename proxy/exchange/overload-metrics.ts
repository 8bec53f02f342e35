// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

import type { ClusterSet } from "../upstream/cluster-manager.ts";
import type { OverloadGate, PriorityCounts } from "../upstream/overload-gate.ts";

const OUTCOMES = ["admitted", "waited", "shed"] as const satisfies readonly (keyof PriorityCounts)[];

/** Adds the metrics of the gates of Overload documents, read at each scrape. */
export function addOverloadMetrics(registry: Registry, clusters: () => ClusterSet): void {
  const registers = [registry];
  const labelNames = ["cluster"];
  const gates = (): readonly (readonly [string, OverloadGate])[] =>
    [...clusters().clusters].flatMap(([name, { overload }]) =>
      overload === undefined ? [] : [[name, overload.gate]],
    );
  const gauge = (name: string, help: string, of: (gate: OverloadGate) => number): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [cluster, gate] of gates()) this.set({ cluster }, of(gate));
      },
    });
  };
  gauge(
    "purser_proxy_overload_limit",
    "Requests that may be under way now by the Overload document, by cluster.",
    ({ limit }) => limit,
  );
  gauge(
    "purser_proxy_overload_waiting",
    "Requests that wait for their turn by the Overload document, by cluster.",
    ({ waiting }) => waiting,
  );
  gauge(
    "purser_proxy_overload_baseline_seconds",
    "Latency without overload as it was last measured, by cluster; 0 before the first measurement.",
    ({ baselineMs = 0 }) => baselineMs / 1_000,
  );
  new Counter({
    name: "purser_proxy_overload_requests_total",
    help: "Requests by cluster, priority and outcome: admitted; waited before that; shed (in shadow mode: admitted as well).",
    labelNames: ["cluster", "priority", "outcome"],
    registers,
    collect() {
      this.reset();
      for (const [cluster, { counts }] of gates())
        for (const [priority, count] of counts.entries())
          for (const outcome of OUTCOMES)
            if (count[outcome] > 0) this.inc({ cluster, priority, outcome }, count[outcome]);
    },
  });
  new Counter({
    name: "purser_proxy_overload_priority_faults_total",
    help: "Requests whose priority's expression failed or gave no number, so that they got the default, by cluster.",
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [cluster, { priorityFaultsTotal }] of gates()) this.inc({ cluster }, priorityFaultsTotal);
    },
  });
}
