// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, type Registry } from "prom-client";

/** Counts of TLS handshakes and certificates. */
export class TlsCounts {
  readonly #handshakes: Counter;
  readonly #reads: Counter;

  /** @param expiries When each certificate in use ends, read at each scrape. */
  constructor(
    registry: Registry,
    expiries: () => readonly { readonly name: string; readonly expiresAtMs: number }[],
  ) {
    const registers = [registry];
    this.#handshakes = new Counter({
      name: "purser_proxy_tls_handshakes_total",
      help: "TLS handshakes with clients, by listener and result.",
      labelNames: ["listener", "result"],
      registers,
    });
    this.#reads = new Counter({
      name: "purser_proxy_certificate_reads_total",
      help: "New states of the files of a certificate, by result: accepted, or rejected with the last good ones still in force.",
      labelNames: ["result"],
      registers,
    });
    new Gauge({
      name: "purser_proxy_certificate_expiry_timestamp_seconds",
      help: "Unix time at which the first certificate of a credential's files ends, by the file of the certificate.",
      labelNames: ["credential"],
      aggregator: "min",
      registers,
      collect() {
        this.reset();
        for (const { name, expiresAtMs } of expiries()) this.set({ credential: name }, expiresAtMs / 1_000);
      },
    });
  }

  countHandshake(listener: string, result: string): void {
    this.#handshakes.inc({ listener, result });
  }

  countCredentialRead(isGood: boolean): void {
    this.#reads.inc({ result: isGood ? "accepted" : "rejected" });
  }
}
