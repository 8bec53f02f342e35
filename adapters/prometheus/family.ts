// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricType } from "../../plugins/sdk/index.ts";
import { type LabelValues, Series } from "./series.ts";
import { SeriesTable } from "./series-table.ts";

export interface FamilyOptions {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Labels as instances name them, in order. */
  readonly keys: readonly string[];
  /** The same labels as Prometheus names them. */
  readonly labelNames: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending; none for other types. */
  readonly bounds: readonly number[];
  readonly maxSeries: number;
  /** undefined: series never expire. */
  readonly expireAfterMs: number | undefined;
}

/** A metric as Prometheus sees it, with its text. */
export class Family {
  readonly #options: FamilyOptions;
  readonly #series: SeriesTable;

  constructor(options: FamilyOptions) {
    const { type, bounds } = options;
    const buckets = type === "histogram" ? bounds.length + 1 : 0;
    this.#options = options;
    this.#series = new SeriesTable({
      ...options,
      create: (labels, overflow) => new Series(labels, buckets, overflow),
    });
  }

  get name(): string {
    return this.#options.name;
  }

  get isEmpty(): boolean {
    return this.#series.size === 0;
  }

  /**
   * @param nowMs Monotonic time; only read when series expire.
   * @returns The series that counted the observation, undefined when the labels have other keys than the family.
   */
  record(labels: LabelValues, value: number, nowMs: number): Series | undefined {
    const series = this.#series.seriesFor(labels, nowMs);
    if (series === undefined) return undefined;
    const { type } = this.#options;
    if (type === "gauge") series.value = value;
    else series.value += value;
    if (type === "histogram") this.#countBucket(series, value);
    return series;
  }

  expire(nowMs: number): void {
    this.#series.expire(nowMs);
  }

  /** The family in Prometheus' text form 0.0.4, with a line break at its end. */
  text(): string {
    const { name, type, help } = this.#options;
    const lines = [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
    for (const series of this.#series.all) {
      if (type === "histogram") this.#writeHistogram(series, lines);
      else lines.push(`${name}${inBraces(this.#labelsOf(series))} ${numberText(series.value)}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #countBucket({ counts }: Series, value: number): void {
    const { bounds } = this.#options;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (counts[bucket] as number)++;
  }

  #writeHistogram(series: Series, lines: string[]): void {
    const { name, bounds } = this.#options;
    const labels = this.#labelsOf(series);
    let count = 0;
    for (const [bucket, observations] of series.counts.entries()) {
      count += observations;
      const bound = `le="${numberText(bounds[bucket] ?? Number.POSITIVE_INFINITY)}"`;
      lines.push(`${name}_bucket${inBraces([bound, ...labels])} ${count}`);
    }
    lines.push(`${name}_sum${inBraces(labels)} ${numberText(series.value)}`);
    lines.push(`${name}_count${inBraces(labels)} ${count}`);
  }

  #labelsOf({ labels }: Series): readonly string[] {
    const { labelNames } = this.#options;
    return labels.map((value, index) => `${labelNames[index]}="${escaped(value).replaceAll('"', '\\"')}"`);
  }
}

function inBraces(labels: readonly string[]): string {
  return labels.length === 0 ? "" : `{${labels.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}
