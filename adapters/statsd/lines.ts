// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type MetricInstance, PurserError, type RefusedInstance } from "../../plugins/sdk/index.ts";
import { toDecimal, toMilliseconds } from "./numbers.ts";
import type { Style } from "./style.ts";

/** Text that must not be parted: a line, or two that belong together. */
export interface Line {
  /** Without the last line break. */
  readonly text: string;
  /** Positions in the batch of the instances whose values the line has. */
  readonly instances: readonly number[];
}

interface Series {
  readonly head: string;
  readonly tail: string;
  readonly metric: MetricInstance;
  /** The sum of a counter, the last value of a gauge. */
  value: number;
  /** The observations of a histogram. */
  readonly values: string[];
  readonly instances: number[];
}

/**
 * The lines of a batch: one for each series, with the sum of a counter or the last value of a gauge; of a histogram one for each value, or
 * as few as `maxBytes` allows if the dialect packs values.
 */
export function linesOf(
  batch: readonly MetricInstance[],
  style: Style,
  maxBytes: number,
): { readonly lines: readonly Line[]; readonly refused: readonly RefusedInstance[] } {
  const refused: RefusedInstance[] = [];
  const refuse = (instances: readonly number[], message: string): void => {
    for (const index of instances)
      refused.push({ index, error: new PurserError("PURSER_HANDLER_FAILED", message, { retryable: false }) });
  };
  const series = new Map<string, Series>();
  for (const [index, metric] of batch.entries()) {
    if (Number.isFinite(metric.value)) collect(series, metric, index, style);
    else refuse([index], `the value ${metric.value} of metric "${metric.name}" is not a finite number`);
  }
  const lines: Line[] = [];
  for (const one of series.values()) {
    if (one.metric.type === "histogram") lines.push(...histogramLines(one, style, maxBytes));
    else if (Number.isFinite(one.value)) lines.push(plainLine(one, style));
    else refuse(one.instances, `the sum of metric "${one.metric.name}" is too large`);
  }
  return { lines, refused };
}

function collect(all: Map<string, Series>, metric: MetricInstance, index: number, style: Style): void {
  const head = style.head(metric);
  const tail = style.tail(metric);
  const key = `${metric.type}|${head}|${tail}`;
  let series = all.get(key);
  if (series === undefined) {
    series = { head, tail, metric, value: 0, values: [], instances: [] };
    all.set(key, series);
  }
  series.instances.push(index);
  if (metric.type === "counter") series.value += metric.value;
  else if (metric.type === "gauge") series.value = metric.value;
  else {
    const isTimer = style.histogram === "ms";
    series.values.push(toDecimal(isTimer ? toMilliseconds(metric.value, metric.unit) : metric.value));
  }
}

function plainLine({ head, tail, metric, value, instances }: Series, style: Style): Line {
  const text = toDecimal(value);
  if (metric.type === "counter") return { text: `${head}:${text}|c${tail}`, instances };
  const line = `${head}:${text}|g${tail}`;
  const isChange = style.signedGaugeIsChange && text.startsWith("-");
  return { text: isChange ? `${head}:0|g${tail}\n${line}` : line, instances };
}

function histogramLines({ head, tail, values, instances }: Series, style: Style, maxBytes: number): Line[] {
  const end = `|${style.histogram}${tail}`;
  const frameBytes = Buffer.byteLength(head + end);
  const lines: { text: string; instances: number[] }[] = [];
  let bytes = 0;
  for (const [position, value] of values.entries()) {
    const added = value.length + 1;
    const last = lines.at(-1);
    if (style.packs && last !== undefined && bytes + added <= maxBytes) {
      last.text += `:${value}`;
      last.instances.push(instances[position] as number);
      bytes += added;
    } else {
      lines.push({ text: `${head}:${value}`, instances: [instances[position] as number] });
      bytes = frameBytes + added;
    }
  }
  return lines.map((line) => ({ ...line, text: line.text + end }));
}
