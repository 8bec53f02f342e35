// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../../plugins/sdk/index.ts";

/** Reasons for which a reported number never reaches Cloud Monitoring. */
export type DropReason = "not_finite" | "negative" | "out_of_range" | "replaced" | "refused" | "closed";

/** Ends of a point: written; or refused by the service for its time, or for any other reason; or in a call that failed. */
export type PointOutcome = "written" | "too_frequent" | "refused" | "failed";

type Labels = Readonly<Record<string, string>>;

/** One counter with its series. */
class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #totals = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, amount = 1): void {
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${escaped(value)}"`)
      .join(",");
    this.#totals.set(key, (this.#totals.get(key) ?? 0) + amount);
  }

  text(): string {
    const lines = [...this.#totals].map(([labels, total]) => `${this.#name}{${labels}} ${total}\n`);
    return `# HELP ${this.#name} ${this.#help}\n# TYPE ${this.#name} counter\n${lines.join("")}`;
  }
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** The adapter's own metrics: everything that Cloud Monitoring did not get is counted. Each kind of loss is logged once. */
export class Counters {
  readonly #handler: string;
  readonly #logger: Logger;
  readonly #warned = new Set<string>();
  readonly #points = new Counter(
    "purser_stackdriver_points_total",
    "Points pushed to Cloud Monitoring, by outcome.",
  );
  readonly #dropped = new Counter(
    "purser_stackdriver_dropped_total",
    "Reports of metrics that Cloud Monitoring never gets.",
  );
  readonly #overflow = new Counter(
    "purser_stackdriver_overflow_total",
    "Reports counted in a metric's overflow series, because the handler has reached maxSeries.",
  );

  constructor(handler: string, logger: Logger) {
    this.#handler = handler;
    this.#logger = logger;
  }

  points(outcome: PointOutcome, count = 1): void {
    if (count > 0) this.#points.add({ handler: this.#handler, outcome }, count);
  }

  dropped(metric: string, reason: DropReason, count = 1): void {
    this.lost(metric, reason, count);
    this.warnOnce(`dropped ${reason} ${metric}`, "reports of a metric are dropped", { metric, reason });
  }

  /** As `dropped`, for a loss that is logged elsewhere. */
  lost(metric: string, reason: DropReason, count = 1): void {
    this.#dropped.add({ handler: this.#handler, metric, reason }, count);
  }

  overflowed(metric: string): void {
    this.#overflow.add({ handler: this.#handler, metric });
    const message = "the handler has reached maxSeries; further label sets of a metric are counted together";
    this.warnOnce(`overflow ${metric}`, message, { metric });
  }

  /** Logs a warning unless one of the same key was logged. The keys come from documents, which bounds them. */
  warnOnce(key: string, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#logger.warn(message, fields);
  }

  text(): string {
    return [this.#points, this.#dropped, this.#overflow].map((counter) => counter.text()).join("");
  }
}
