// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Registry } from "prom-client";

import { addProcessMetrics } from "../../server/process-metrics.ts";
import type { Recheck } from "../policy/check-result.ts";
import type { ClusterSet } from "../upstream/cluster-manager.ts";
import { AuthenticationCounts } from "./authentication-counts.ts";
import type { CorsDecision, Exchange } from "./exchange.ts";
import { DnsCounts } from "./dns-counts.ts";
import { GrpcWebCounts } from "./grpc-web-counts.ts";
import { addOverloadMetrics } from "./overload-metrics.ts";
import { RequestCounts } from "./request-counts.ts";
import { addUpstreamMetrics } from "./upstream-metrics.ts";
import { TcpCounts } from "./tcp-counts.ts";
import { TlsCounts } from "./tls-counts.ts";

/**
 * The proxy's own counters, in a registry of its own. The mixer's handlers count the metrics that documents
 * define.
 */
export class ProxyStats {
  readonly registry = new Registry();
  readonly #requests = new RequestCounts(this.registry);
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
  readonly tcp = new TcpCounts(this.registry);
  readonly tls: TlsCounts;
  readonly dns = new DnsCounts(this.registry);
  readonly authentication = new AuthenticationCounts(this.registry);
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
  readonly #cors = new Counter({
    name: "purser_proxy_cors_requests_total",
    help: "Requests with an Origin field on routes with a corsPolicy, by listener, kind of request and whether the origin is allowed.",
    labelNames: ["listener", "request", "origin"],
    registers: [this.registry],
  });
  readonly #grpcWeb = new GrpcWebCounts(this.registry);
  readonly #mirrored = new Counter({
    name: "purser_proxy_mirrored_requests_total",
    help: "Copies of requests for the mirrors of routes, by the mirror's cluster and result.",
    labelNames: ["cluster", "result"],
    registers: [this.registry],
  });
  readonly #updates = new Counter({
    name: "purser_proxy_config_updates_total",
    help: "Updates of traffic resources received from pilot, by result.",
    labelNames: ["result"],
    registers: [this.registry],
  });

  /**
   * @param clusters The newest clusters, read at each scrape.
   * @param policyStats The policy client's counters, read at each scrape.
   * @param listenersDraining The number of listeners that drain, read at each scrape.
   * @param expiries When each certificate in use ends, read at each scrape.
   * @param longStreams The open streams, read at each scrape.
   * @param ready Whether `/ready` answers 200, read at each scrape.
   */
  constructor(
    clusters: () => ClusterSet,
    policyStats: () => Readonly<Record<string, number>>,
    listenersDraining: () => number,
    expiries: () => readonly { readonly name: string; readonly expiresAtMs: number }[],
    ready: () => boolean,
    longStreams: () => {
      readonly size: number;
      readonly counts: Readonly<Record<Recheck, number>>;
      readonly expiries: { readonly counts: Readonly<Record<string, number>> };
    },
  ) {
    const registers = [this.registry];
    this.tls = new TlsCounts(this.registry, expiries);
    addProcessMetrics(this.registry);
    new Gauge({
      name: "purser_proxy_ready",
      help: "1 while the proxy can serve, as /ready says; with workers, while one of them can.",
      aggregator: "max",
      registers,
      collect() {
        this.set(ready() ? 1 : 0);
      },
    });
    new Gauge({
      name: "purser_proxy_listeners_draining",
      help: "Listeners that accept no new connections and still have connections.",
      registers,
      collect() {
        this.set(listenersDraining());
      },
    });
    addUpstreamMetrics(this.registry, clusters);
    addOverloadMetrics(this.registry, clusters);
    new Gauge({
      name: "purser_proxy_long_streams",
      help: "Open streams that changed policies are put to: upgraded connections, server-sent events, gRPC calls.",
      registers,
      collect() {
        this.set(longStreams().size);
      },
    });
    new Counter({
      name: "purser_proxy_stream_rechecks_total",
      help: "New decisions about open streams after a change of the policies, by outcome; refused streams were closed.",
      labelNames: ["outcome"],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(longStreams().counts)) this.inc({ outcome }, count);
      },
    });
    new Counter({
      name: "purser_proxy_stream_expiries_total",
      help: "Open streams that were closed because the client's certificate or token expired, by credential.",
      labelNames: ["credential"],
      registers,
      collect() {
        this.reset();
        for (const [credential, count] of Object.entries(longStreams().expiries.counts))
          this.inc({ credential }, count);
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
    this.#requests.countRequest(listener, exchange.response?.status, exchange.flagText);
    if (exchange.cors !== undefined) this.#countCors(listener, exchange.cors);
    if (exchange.grpcWeb !== undefined) this.#grpcWeb.count(exchange, exchange.grpcWeb);
    if (exchange.upgraded) this.#upgradesActive.dec({ listener });
    else this.#requests.observeDuration(listener, exchange.durationMs);
    if (exchange.selection?.kind === "forward" && exchange.tries > 0) {
      this.#requests.countTries(exchange.selection.cluster.config.name, exchange.tries);
    }
  }

  /** Counts a request whose upstream accepted the upgrade; `countRequest` follows at its end. */
  countUpgrade({ listener: { name: listener }, request: { upgrade: protocol = "" } }: Exchange): void {
    this.#upgrades.inc({ listener, protocol });
    this.#upgradesActive.inc({ listener });
  }

  #countCors(listener: string, { request, allowedOrigin }: CorsDecision): void {
    if (request === "same-origin") return;
    this.#cors.inc({ listener, request, origin: allowedOrigin === undefined ? "unmatched" : "allowed" });
  }

  /** @param result The response's code class, or the reason why there is none. */
  countMirrored(cluster: string, result: string): void {
    this.#mirrored.inc({ cluster, result });
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
