// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";

/** The pool's own counters, and those of its workers as sums. */
export class PoolMetrics {
  readonly #registry = new Registry();
  /** The counts of the workers that have ended. */
  #retired: Promise<readonly object[]> = Promise.resolve([]);
  readonly #restarts = new Counter({
    name: "purser_proxy_worker_restarts_total",
    help: "Worker processes that ended unasked and were replaced.",
    registers: [this.#registry],
  });

  /** @param alive The number of workers that serve requests, read at each scrape. */
  constructor(alive: () => number) {
    new Gauge({
      name: "purser_proxy_workers",
      help: "Worker processes that serve requests.",
      registers: [this.#registry],
      collect() {
        this.set(alive());
      },
    });
  }

  countRestart(): void {
    this.#restarts.inc();
  }

  /** Keeps the counts of a worker that has ended: a sum that shrinks would look like a restart of the proxy. */
  retire(families: readonly object[]): void {
    const counts = families.filter((family) => !("type" in family && family.type === "gauge"));
    this.#retired = this.#retired.then((before) => sumOf([before, counts]).getMetricsAsJSON());
  }

  /** @param workers The families of each worker's registry, in prom-client's JSON form. */
  async exposition(workers: readonly (readonly object[])[]): Promise<string> {
    const own = await this.#registry.metrics();
    return `${own}${await sumOf([await this.#retired, ...workers]).metrics()}`;
  }
}

function sumOf(parts: readonly (readonly object[])[]): Registry {
  return AggregatorRegistry.aggregate(parts.map((families) => [...families]));
}
