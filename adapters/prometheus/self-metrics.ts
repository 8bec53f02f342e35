// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, type Registry } from "prom-client";

/** The adapter's own metrics, which count every observation that it leaves out. */
export interface SelfMetrics {
  overflowed(metric: string): void;
  dropped(metric: string, reason: DropReason): void;
}

type DropReason = "negative" | "not_finite";

/** Reserved names, which no document's metric may have. */
export const SELF_METRIC_NAMES = {
  overflow: "purser_prometheus_overflow_total",
  dropped: "purser_prometheus_dropped_total",
} as const;

export function createSelfMetrics(registry: Registry, handler: string): SelfMetrics {
  const overflow = new Counter({
    name: SELF_METRIC_NAMES.overflow,
    help: "Observations counted in a metric's overflow series, because the metric has reached maxSeries.",
    labelNames: ["handler", "metric"] as const,
    registers: [registry],
  });
  const dropped = new Counter({
    name: SELF_METRIC_NAMES.dropped,
    help: "Observations dropped, because Prometheus cannot represent them.",
    labelNames: ["handler", "metric", "reason"] as const,
    registers: [registry],
  });
  return {
    overflowed: (metric) => overflow.inc({ handler, metric }),
    dropped: (metric, reason) => dropped.inc({ handler, metric, reason }),
  };
}
