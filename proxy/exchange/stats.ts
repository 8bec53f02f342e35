// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { ClusterSet } from "../upstream/cluster-manager.ts";
import type { Exchange } from "./exchange.ts";

/**
 * The proxy's own counters, in a registry of its own. The mixer's handlers count the metrics that documents
 * define.
 */
export class ProxyStats {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: "purser_proxy_requests_total",
    help: "Requests that are over, by listener, response code class and response flags.",
    labelNames: ["listener", "code_class", "flags"],
    registers: [this.registry],
  });
  readonly #duration = new Histogram({
    name: "purser_proxy_request_duration_seconds",
    help: "From the request's arrival to the end of the response; upgraded connections are not in it.",
    labelNames: ["listener"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: "purser_proxy_refused_total",
    help: "Input refused before it became a request: not HTTP, too large or too slow.",
    labelNames: ["listener", "reason"],
    registers: [this.registry],
  });
  readonly #connectionEvents = new Counter({
    name: "purser_proxy_connection_events_total",
    help: "Connections refused or closed by the proxy, by listener and event.",
    labelNames: ["listener", "event"],
    registers: [this.registry],
  });
  readonly #tries = new Counter({
    name: "purser_proxy_upstream_tries_total",
    help: "Tries to send a request upstream, by cluster.",
    labelNames: ["cluster"],
    registers: [this.registry],
  });
  readonly #upgrades = new Counter({
    name: "purser_proxy_upgrades_total",
    help: "Requests whose connection went on with another protocol, by listener and protocol.",
    labelNames: ["listener", "protocol"],
    registers: [this.registry],
  });
  readonly #upgradesActive = new Gauge({
    name: "purser_proxy_upgrades_active",
    help: "Connections that carry another protocol now, by listener.",
    labelNames: ["listener"],
    registers: [this.registry],
  });
  readonly #updates = new Counter({
    name: "purser_proxy_config_updates_total",
    help: "Updates of traffic resources received from pilot, by result.",
    labelNames: ["result"],
    registers: [this.registry],
  });

  /**
   * @param clusters The newest clusters, read at each scrape for their request counts.
   * @param policyStats The policy client's counters, read at each scrape.
   */
  constructor(clusters: () => ClusterSet, policyStats: () => Readonly<Record<string, number>>) {
    const registers = [this.registry];
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
      help: "Requests refused because maxRequests were under way, by cluster.",
      labelNames: ["cluster"],
      registers,
      collect() {
        this.reset();
        for (const [cluster, { load }] of clusters().clusters) this.inc({ cluster }, load.overflowsTotal);
      },
    });
    new Counter({
      name: "purser_proxy_mixer_client_total",
      help: "Events of the check cache, the quota leases and the report batches.",
      labelNames: ["event"],
      registers,
      collect() {
        this.reset();
        for (const [event, count] of Object.entries(policyStats())) this.inc({ event }, count);
      },
    });
  }

  countRequest(exchange: Exchange): void {
    const listener = exchange.listener.name;
    const codeClass =
      exchange.response === undefined ? "none" : `${Math.floor(exchange.response.status / 100)}xx`;
    this.#requests.inc({ listener, code_class: codeClass, flags: exchange.flagText });
    if (exchange.upgraded) this.#upgradesActive.dec({ listener });
    else this.#duration.observe({ listener }, exchange.durationMs / 1000);
    if (exchange.selection?.kind === "forward" && exchange.tries > 0) {
      this.#tries.inc({ cluster: exchange.selection.cluster.config.name }, exchange.tries);
    }
  }

  /** Counts a request whose upstream accepted the upgrade; `countRequest` follows at its end. */
  countUpgrade({ listener: { name: listener }, request: { upgrade: protocol = "" } }: Exchange): void {
    this.#upgrades.inc({ listener, protocol });
    this.#upgradesActive.inc({ listener });
  }

  countRefused(listener: string, reason: string): void {
    this.#refused.inc({ listener, reason });
  }

  countConnectionEvent(listener: string, event: string): void {
    this.#connectionEvents.inc({ listener, event });
  }

  countUpdate(result: "accepted" | "rejected"): void {
    this.#updates.inc({ result });
  }
}
