// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, ExposedFamily } from "../../plugins/sdk/index.ts";
import { Family } from "./family.ts";

type DropReason = "negative" | "not_finite";

/** Reserved names, which no document's metric may have. */
export const SELF_METRIC_NAMES = {
  overflow: "purser_prometheus_overflow_total",
  dropped: "purser_prometheus_dropped_total",
} as const;

/** The adapter's own metrics, which count every observation that it leaves out. */
export class SelfMetrics {
  readonly #handler: string;
  readonly #overflow: Family;
  readonly #dropped: Family;

  constructor(handler: string, clock: Clock) {
    this.#handler = handler;
    this.#overflow = counter(
      SELF_METRIC_NAMES.overflow,
      "Observations counted in a metric's overflow series, because the metric has reached maxSeries.",
      ["handler", "metric"],
      clock,
    );
    this.#dropped = counter(
      SELF_METRIC_NAMES.dropped,
      "Observations dropped, because Prometheus cannot represent them.",
      ["handler", "metric", "reason"],
      clock,
    );
  }

  overflowed(metric: string): void {
    this.#overflow.record({ handler: this.#handler, metric }, 1, 0);
  }

  dropped(metric: string, reason: DropReason): void {
    this.#dropped.record({ handler: this.#handler, metric, reason }, 1, 0);
  }

  exposed(): readonly ExposedFamily[] {
    return [this.#overflow.exposed(), this.#dropped.exposed()];
  }
}

function counter(name: string, help: string, labels: readonly string[], clock: Clock): Family {
  return new Family({
    name,
    type: "counter",
    help,
    keys: labels,
    labelNames: labels,
    bounds: [],
    clock,
    // Metric documents alone make series here.
    maxSeries: Number.POSITIVE_INFINITY,
    expireAfterMs: undefined,
    nativeHistograms: false,
    createdSamples: false,
  });
}
