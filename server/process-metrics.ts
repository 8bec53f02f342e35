// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, type Registry } from "prom-client";

/** Interval at which the event loop's delay is sampled, in milliseconds. */
const RESOLUTION_MS = 20;

/**
 * Adds the metrics of this process to a registry, under the names that Prometheus' client libraries share. Each registry samples the
 * event loop for itself, since a scrape begins a new window.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time, in seconds.",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const gauge = (
    name: string,
    help: string,
    aggregator: "sum" | "min" | "max",
    value: () => number,
  ): void => {
    new Gauge({
      name,
      help,
      aggregator,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge("process_start_time_seconds", "When the process started, in seconds since the epoch.", "min", () =>
    Math.round(performance.timeOrigin / 1000),
  );
  gauge("process_resident_memory_bytes", "Resident memory.", "sum", () => process.memoryUsage.rss());
  gauge(
    "nodejs_heap_size_used_bytes",
    "Used memory of the JavaScript heap.",
    "sum",
    () => process.memoryUsage().heapUsed,
  );
  addEventLoopLag(registry);
}

/** How late the event loop ran its timers since the last scrape: what a request may wait before its work begins. */
function addEventLoopLag(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  const seconds = (delayNs: number): number => Math.max(0, delayNs / 1e6 - RESOLUTION_MS) / 1000;
  const lag = (name: string, help: string, value: () => number, after: () => void = () => {}): void => {
    new Gauge({
      name,
      help,
      aggregator: "max",
      registers: [registry],
      collect() {
        this.set(seconds(value()));
        after();
      },
    });
  };
  lag("nodejs_eventloop_lag_p50_seconds", "Median lag of the event loop since the last scrape.", () =>
    delay.percentile(50),
  );
  lag(
    "nodejs_eventloop_lag_p99_seconds",
    "99th percentile of the event loop's lag since the last scrape.",
    () => delay.percentile(99),
  );
  // Registered last, so collected last: the next window begins then.
  lag(
    "nodejs_eventloop_lag_max_seconds",
    "Longest lag of the event loop since the last scrape.",
    () => delay.max,
    () => delay.reset(),
  );
}
