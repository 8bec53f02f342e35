// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

import type { TcpEnding } from "./tcp-ending.ts";

/** Counts of one listener, which become metrics when they are scraped. */
interface ListenerCounts {
  opened: number;
  readonly closed: Map<TcpEnding, number>;
  receivedBytes: number;
  sentBytes: number;
}

/** The metrics of forwarded TCP connections. */
export class TcpCounts {
  readonly #listeners = new Map<string, ListenerCounts>();

  /** Registers the metrics. */
  constructor(registry: Registry) {
    const registers = [registry];
    const listeners = this.#listeners;
    new Counter({
      name: "purser_proxy_tcp_connections_total",
      help: "TCP connections that were accepted to be forwarded as bytes, by listener.",
      labelNames: ["listener"],
      registers,
      collect() {
        this.reset();
        for (const [listener, { opened }] of listeners) this.inc({ listener }, opened);
      },
    });
    new Gauge({
      name: "purser_proxy_tcp_connections_active",
      help: "TCP connections that are forwarded as bytes now, by listener.",
      labelNames: ["listener"],
      registers,
      collect() {
        this.reset();
        for (const [listener, { opened, closed }] of listeners) {
          const over = [...closed.values()].reduce((sum, count) => sum + count, 0);
          this.set({ listener }, opened - over);
        }
      },
    });
    new Counter({
      name: "purser_proxy_tcp_connections_closed_total",
      help: "TCP connections that are over, by listener and reason.",
      labelNames: ["listener", "reason"],
      registers,
      collect() {
        this.reset();
        for (const [listener, { closed }] of listeners)
          for (const [reason, count] of closed) this.inc({ listener, reason }, count);
      },
    });
    new Counter({
      name: "purser_proxy_tcp_bytes_total",
      help: "Bytes of forwarded TCP connections, by listener and direction: received from clients, or sent to them.",
      labelNames: ["listener", "direction"],
      registers,
      collect() {
        this.reset();
        for (const [listener, { receivedBytes, sentBytes }] of listeners) {
          this.inc({ listener, direction: "received" }, receivedBytes);
          this.inc({ listener, direction: "sent" }, sentBytes);
        }
      },
    });
  }

  countOpened(listener: string): void {
    this.#countsOf(listener).opened++;
  }

  /** Counts bytes since the last call for the connection. */
  countBytes(listener: string, receivedBytes: number, sentBytes: number): void {
    const counts = this.#countsOf(listener);
    counts.receivedBytes += receivedBytes;
    counts.sentBytes += sentBytes;
  }

  countClosed(listener: string, reason: TcpEnding): void {
    const { closed } = this.#countsOf(listener);
    closed.set(reason, (closed.get(reason) ?? 0) + 1);
  }

  #countsOf(listener: string): ListenerCounts {
    let counts = this.#listeners.get(listener);
    if (counts === undefined) {
      counts = { opened: 0, closed: new Map(), receivedBytes: 0, sentBytes: 0 };
      this.#listeners.set(listener, counts);
    }
    return counts;
  }
}
