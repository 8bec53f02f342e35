// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The outcome of the data points of a push. */
export type PointOutcome = "accepted" | "rejected" | "failed";

export type DropReason = "negative" | "not_finite";

/** The adapter's own metrics: each instance and each data point that a receiver does not get is counted here. */
export class SelfMetrics {
  readonly #handler: string;
  readonly #points = new Counter(
    "purser_opentelemetry_points_total",
    "Data points of metrics by outcome: accepted; rejected by a partial success; failed to be sent.",
  );
  readonly #overflow = new Counter(
    "purser_opentelemetry_overflow_total",
    "Instances counted in a metric's overflow series, because the metric has reached maxSeries.",
  );
  readonly #dropped = new Counter(
    "purser_opentelemetry_dropped_total",
    "Instances dropped, because OTLP cannot represent them.",
  );

  constructor(handler: string) {
    this.#handler = handler;
  }

  points(outcome: PointOutcome, count: number): void {
    this.#points.add({ handler: this.#handler, outcome }, count);
  }

  overflowed(metric: string): void {
    this.#overflow.add({ handler: this.#handler, metric }, 1);
  }

  dropped(metric: string, reason: DropReason): void {
    this.#dropped.add({ handler: this.#handler, metric, reason }, 1);
  }

  /** In Prometheus' text form. */
  text(): string {
    return [this.#points, this.#overflow, this.#dropped].map((counter) => counter.text()).join("\n");
  }
}

class Counter {
  readonly #name: string;
  readonly #help: string;
  /** By the labels' text. Metric documents alone make series here. */
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Readonly<Record<string, string>>, amount: number): void {
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${escaped(value)}"`)
      .join(",");
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  text(): string {
    const lines = Array.from(this.#values, ([labels, value]) => `${this.#name}{${labels}} ${value}`);
    return `${[`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} counter`, ...lines].join("\n")}\n`;
  }
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
