// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExposedFamily, ExposedSeries, FamilyType } from "./family.ts";

/** One line of text with a value. */
export interface Sample {
  readonly name: string;
  readonly labelNames: readonly string[];
  readonly labels: readonly string[];
  readonly value: number;
  readonly timestampMs?: number;
}

/** A series of a histogram or summary, of which each line tells a part. */
interface Parts {
  readonly labelNames: readonly string[];
  readonly labels: readonly string[];
  readonly timestampMs?: number;
  /** Bounds of buckets with cumulative counts, or quantiles with values. */
  readonly steps: (readonly [at: number, value: number])[];
  sum?: number;
  count?: number;
}

/** The label that tells the parts of a series apart, by type. */
const PART_LABEL: Readonly<Record<string, string>> = { histogram: "le", summary: "quantile" };

/** A family of a text, while its lines are read. */
export class FamilyText {
  readonly name: string;
  help?: string;
  type?: FamilyType;
  /** start, end, start, end …: the parts of the text with the family's samples, when each is a series. */
  readonly #ranges: number[] = [];
  readonly #parts = new Map<string, Parts>();

  constructor(name: string) {
    this.name = name;
  }

  /** Whether a sample of this name is one of the family's. */
  takes(sample: string): boolean {
    return sampleNames(this.name, this.type).includes(sample);
  }

  /**
   * @param start Where the sample's line begins in the text, up to `end`.
   * @returns Whether the sample makes sense for the family's type.
   */
  add(sample: Sample, start: number, end: number): boolean {
    const label = PART_LABEL[this.type ?? ""];
    if (label !== undefined) return this.#addPart(sample, label);
    const ranges = this.#ranges;
    if (ranges.at(-1) === start) ranges[ranges.length - 1] = end;
    else ranges.push(start, end);
    return true;
  }

  /** @param samples The samples of a part of the text. */
  exposed(samples: (start: number, end: number) => Iterable<Sample>): ExposedFamily {
    const { name, help, type = "untyped" } = this;
    const ranges = this.#ranges;
    const series =
      PART_LABEL[type] === undefined
        ? { [Symbol.iterator]: () => seriesIn(ranges, samples) }
        : [...this.#parts.values()].map((parts) => seriesOf(parts, type));
    return { name, type, ...(help === undefined ? {} : { help }), series };
  }

  #addPart({ name, labelNames, labels, value, timestampMs }: Sample, partLabel: string): boolean {
    const at = labelNames.indexOf(partLabel);
    const suffix = name.slice(this.name.length);
    const names = labelNames.filter((label) => label !== partLabel);
    const values = labels.filter((_, index) => labelNames[index] !== partLabel);
    const key = JSON.stringify([names, values]);
    const parts: Parts = this.#parts.get(key) ?? {
      labelNames: names,
      labels: values,
      steps: [],
      ...(timestampMs === undefined ? {} : { timestampMs }),
    };
    if (suffix === "_sum") parts.sum = value;
    else if (suffix === "_count") parts.count = value;
    else {
      const isStep = suffix === (partLabel === "le" ? "_bucket" : "");
      const text = labels[at] ?? "";
      const bound = text === "+Inf" ? Number.POSITIVE_INFINITY : text === "" ? Number.NaN : Number(text);
      if (!isStep || Number.isNaN(bound)) return false;
      parts.steps.push([bound, value]);
    }
    this.#parts.set(key, parts);
    return true;
  }
}

function* seriesIn(
  ranges: readonly number[],
  samples: (start: number, end: number) => Iterable<Sample>,
): Generator<ExposedSeries> {
  for (let index = 0; index < ranges.length; index += 2)
    for (const sample of samples(ranges[index] as number, ranges[index + 1] as number)) yield sample;
}

function seriesOf(
  { labelNames, labels, steps, sum, count, timestampMs }: Parts,
  type: FamilyType,
): ExposedSeries {
  const common = { labelNames, labels, ...(timestampMs === undefined ? {} : { timestampMs }) };
  const sums = { ...(sum === undefined ? {} : { sum }), ...(count === undefined ? {} : { count }) };
  if (type === "summary") {
    const quantiles = steps.map(([quantile, value]) => ({ quantile, value }));
    return { ...common, summary: { quantiles, ...sums } };
  }
  const sorted = steps.toSorted(([a], [b]) => a - b);
  const bounds = sorted.map(([bound]) => bound);
  const counts = sorted.map(([, value], index) => value - (sorted[index - 1]?.[1] ?? 0));
  return { ...common, histogram: { bounds, counts, ...sums } };
}

/** The names that samples of a family can have in the text format. */
export function sampleNames(name: string, type: FamilyType | undefined): readonly string[] {
  if (type === "histogram") return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`];
  return type === "summary" ? [name, `${name}_sum`, `${name}_count`] : [name];
}
