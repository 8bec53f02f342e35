// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Histogram, type Registry } from "prom-client";

/** Counts of the lookups of endpoints' names. */
export class DnsCounts {
  readonly #lookups: Counter;
  readonly #durations: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#lookups = new Counter({
      name: "purser_proxy_dns_lookups_total",
      help: "Lookups of endpoints' names by result: success, no_address or failure.",
      labelNames: ["result"],
      registers,
    });
    this.#durations = new Histogram({
      name: "purser_proxy_dns_lookup_duration_seconds",
      help: "Durations of the lookups of endpoints' names.",
      // A lookup is given up after 5 s.
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 1, 2, 5],
      registers,
    });
  }

  count(result: string, durationMs: number): void {
    this.#lookups.inc({ result });
    this.#durations.observe(durationMs / 1_000);
  }
}
